-- Select rows of literals: no table is read.
-- Parameters: none
SELECT ${names}
FROM UNNEST(ARRAY<STRUCT<${types}>>[
${rows}
])
