-- Values as text and as JSON, where DuckDB's own is not GoogleSQL's. One script, run when the engine opens.
-- Parameters: none.

-- A FLOAT64 by its first 15 digits, or by 17 where those are another number.
CREATE OR REPLACE MACRO bq.main._cvg_float_text(x) AS CASE
    WHEN isnan(x) THEN 'nan'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'inf' ELSE '-inf' END
    WHEN CAST(printf('%.15g', x) AS DOUBLE) = x THEN printf('%.15g', x + 0.0)
    ELSE printf('%.17g', x)
END;

-- A NUMERIC without the zeros at its end.
CREATE OR REPLACE MACRO bq.main._cvg_numeric_text(x) AS
    regexp_replace(regexp_replace(CAST(x AS VARCHAR), '(\.[0-9]*?)0+$', '\1'), '\.$', '');

-- What a double cannot hold is text in JSON.
CREATE OR REPLACE MACRO bq.main._cvg_json_integer(x) AS CASE
    WHEN abs(x) <= 9007199254740992 THEN to_json(x) ELSE to_json(CAST(x AS VARCHAR))
END;

CREATE OR REPLACE MACRO bq.main._cvg_json_numeric(x) AS CASE
    WHEN abs(x) <= 9007199254740992 AND x = trunc(x) THEN CAST(bq.main._cvg_numeric_text(x) AS JSON)
    ELSE to_json(bq.main._cvg_numeric_text(x))
END;

CREATE OR REPLACE MACRO bq.main._cvg_json_float(x) AS CASE
    WHEN isnan(x) THEN to_json('NaN')
    WHEN isinf(x) THEN to_json(CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END)
    ELSE CAST(bq.main._cvg_float_text(x) AS JSON)
END;

-- Seconds have no, three or six decimals.
CREATE OR REPLACE MACRO bq.main._cvg_json_datetime(x) AS regexp_replace(
    regexp_replace(strftime(x, '%Y-%m-%dT%H:%M:%S.%f'), '000$', ''), '\.000$|\.$', ''
);

CREATE OR REPLACE MACRO bq.main._cvg_json_timestamp(x) AS bq.main._cvg_json_datetime(x) || 'Z';

-- A start before the text is its beginning; a length is never negative.
CREATE OR REPLACE MACRO bq.main._cvg_substr(s, start) AS
    substr(s, CASE WHEN start = 0 OR start < -length(s) THEN 1 ELSE start END),
(s, start, size) AS CASE
    WHEN size < 0 THEN _raise('Third argument in SUBSTR() cannot be negative')
    ELSE substr(s, CASE WHEN start = 0 OR start < -length(s) THEN 1 ELSE start END, size)
END;

-- A text that is cast: DuckDB rounds '12.5' to an INT64, and takes 'yes' for a BOOL.
CREATE OR REPLACE MACRO bq.main._cvg_is_integer(s) AS
    regexp_full_match(trim(s), '[-+]?([0-9]+|0[xX][0-9a-fA-F]+)');

CREATE OR REPLACE MACRO bq.main._cvg_integer(s) AS CASE
    WHEN s IS NULL OR bq.main._cvg_is_integer(s) THEN CAST(s AS BIGINT)
    ELSE _raise('Bad int64 value: ' || s)
END;

CREATE OR REPLACE MACRO bq.main._cvg_safe_integer(s) AS
    CASE WHEN bq.main._cvg_is_integer(s) THEN TRY_CAST(s AS BIGINT) END;

CREATE OR REPLACE MACRO bq.main._cvg_safe_bool(s) AS
    CASE lower(trim(s)) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END;

CREATE OR REPLACE MACRO bq.main._cvg_bool(s) AS CASE
    WHEN s IS NULL OR bq.main._cvg_safe_bool(s) IS NOT NULL THEN bq.main._cvg_safe_bool(s)
    ELSE _raise('Bad bool value: ' || s)
END;

-- The values of the rows that have the greatest or the least of what they are compared by.
CREATE OR REPLACE MACRO bq.main._cvg_of_greatest(rows) AS list_transform(
    list_filter(rows, one -> one.by = list_max(list_transform(rows, other -> other.by))), one -> one.value
);

CREATE OR REPLACE MACRO bq.main._cvg_of_least(rows) AS list_transform(
    list_filter(rows, one -> one.by = list_min(list_transform(rows, other -> other.by))), one -> one.value
);

-- Text such as '1-2 3 4:5:6.7' as an interval: a sign stands for all of its part.
CREATE OR REPLACE MACRO bq.main._cvg_interval_part(s, part) AS
    CAST(regexp_extract(s, '^\s*([-+]?)(\d+)-(\d+)\s+([-+]?\d+)\s+([-+]?)(\d+):(\d+):(\d+)(\.\d{1,6})?\s*$', part) AS VARCHAR);

CREATE OR REPLACE MACRO bq.main._cvg_interval(s) AS CASE
    WHEN s IS NULL THEN NULL
    WHEN bq.main._cvg_interval_part(s, 2) = '' THEN _raise('Invalid INTERVAL value ''' || s || '''')
    ELSE to_months(
        CAST(bq.main._cvg_interval_part(s, 1) || '1' AS INTEGER) * (
            12 * CAST(bq.main._cvg_interval_part(s, 2) AS INTEGER)
            + CAST(bq.main._cvg_interval_part(s, 3) AS INTEGER)
        )
    )
    + to_days(CAST(bq.main._cvg_interval_part(s, 4) AS INTEGER))
    + to_microseconds(
        CAST(bq.main._cvg_interval_part(s, 5) || '1' AS BIGINT) * (
            3600000000 * CAST(bq.main._cvg_interval_part(s, 6) AS BIGINT)
            + 60000000 * CAST(bq.main._cvg_interval_part(s, 7) AS BIGINT)
            + 1000000 * CAST(bq.main._cvg_interval_part(s, 8) AS BIGINT)
            + CAST(1000000 * CAST('0' || bq.main._cvg_interval_part(s, 9) AS DECIMAL(18, 6)) AS BIGINT)
        )
    )
END;

-- Times as text: seconds have no, three or six decimals.
CREATE OR REPLACE MACRO bq.main._cvg_decimals(s) AS CASE
    WHEN regexp_extract(s, '\.(\d+)', 1) = '' THEN s
    ELSE regexp_replace(s, '\.\d+', '.' || rpad(
        regexp_extract(s, '\.(\d+)', 1), CASE WHEN len(regexp_extract(s, '\.(\d+)', 1)) <= 3 THEN 3 ELSE 6 END, '0'
    ))
END;

CREATE OR REPLACE MACRO bq.main._cvg_time_text(x) AS bq.main._cvg_decimals(CAST(x AS VARCHAR));

CREATE OR REPLACE MACRO bq.main._timestamp_string(ts, local) AS bq.main._cvg_decimals(
    strftime(local, '%Y-%m-%d %H:%M:%S') || bq.main._fraction(microsecond(local))
) || bq.main._offset(CAST(epoch(local) - epoch(ts) AS BIGINT), ':', false);

-- Values as FORMAT shows them: `%t` in words, `%T` as literals.
CREATE OR REPLACE MACRO bq.main._cvg_escaped(s) AS replace(replace(replace(replace(
    s, '\', '\\'), chr(10), '\n'), chr(13), '\r'), chr(9), '\t');

CREATE OR REPLACE MACRO bq.main._cvg_quoted(s) AS CASE
    WHEN contains(s, '"') AND NOT contains(s, '''') THEN '''' || bq.main._cvg_escaped(s) || ''''
    ELSE '"' || replace(bq.main._cvg_escaped(s), '"', '\"') || '"'
END;

CREATE OR REPLACE MACRO bq.main._cvg_float_shown(x) AS CASE
    WHEN regexp_full_match(bq.main._cvg_float_text(x), '-?\d+') THEN bq.main._cvg_float_text(x) || '.0'
    ELSE bq.main._cvg_float_text(x)
END;

CREATE OR REPLACE MACRO bq.main._cvg_float_literal(x) AS CASE
    WHEN isfinite(x) THEN bq.main._cvg_float_shown(x)
    ELSE 'CAST("' || bq.main._cvg_float_text(x) || '" AS FLOAT64)'
END;

CREATE OR REPLACE MACRO bq.main._cvg_bytes_shown(x) AS array_to_string(list_transform(
    regexp_extract_all(hex(x), '..'),
    byte -> CASE
        WHEN byte BETWEEN '20' AND '7E' AND byte NOT IN ('22', '27', '5C') THEN chr(CAST('0x' || byte AS INTEGER))
        WHEN byte IN ('22', '27', '5C') THEN '\' || chr(CAST('0x' || byte AS INTEGER))
        ELSE '\x' || lower(byte)
    END
), '');

CREATE OR REPLACE MACRO bq.main._cvg_bytes_literal(x) AS 'b"' || bq.main._cvg_bytes_shown(x) || '"';

-- To the even neighbour, where two are as near.
CREATE OR REPLACE MACRO bq.main._cvg_round_even(x, digits) AS CASE
    WHEN abs(round(x, digits) - x) * 2 = CAST(pow(10, -digits) AS DECIMAL(38, 9))
        AND CAST(round(x, digits) / CAST(pow(10, -digits) AS DECIMAL(38, 9)) AS HUGEINT) % 2 <> 0
        THEN CAST(round(x, digits) - sign(x) * CAST(pow(10, -digits) AS DECIMAL(38, 9)) AS DECIMAL(38, 9))
    ELSE CAST(round(x, digits) AS DECIMAL(38, 9))
END;

-- As TO_JSON writes numbers that a double cannot hold, with stringify_wide_numbers.
CREATE OR REPLACE MACRO bq.main._cvg_json_wide_numeric(x) AS CASE
    WHEN CAST(CAST(x AS DOUBLE) AS DECIMAL(38, 9)) = x AND abs(x) <= 9007199254740992
        THEN CAST(bq.main._cvg_numeric_text(x) AS JSON)
    ELSE to_json(bq.main._cvg_numeric_text(x))
END;

CREATE OR REPLACE MACRO bq.main._cvg_quantiles(n) AS list_transform(range(n + 1), i -> i / n);

-- JSON as an array; each element is read by the function of its type, which raises for what is none.
CREATE OR REPLACE MACRO bq.main._cvg_json_elements(j) AS CASE
    WHEN j IS NULL OR json_type(j) = 'NULL' THEN NULL
    WHEN json_type(j) = 'ARRAY' THEN CAST(j AS JSON[])
    ELSE _raise('The provided JSON input is not an array')
END;

CREATE OR REPLACE MACRO bq.main._cvg_lax_json_elements(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(j AS JSON[]) END;

CREATE OR REPLACE MACRO bq.main._cvg_bool_array(j) AS
    list_transform(bq.main._cvg_json_elements(j), element -> bq.main.bool(element));

CREATE OR REPLACE MACRO bq.main._cvg_lax_bool_array(j) AS
    list_transform(bq.main._cvg_lax_json_elements(j), element -> bq.main.lax_bool(element));

CREATE OR REPLACE MACRO bq.main._cvg_float64_array(j) AS
    list_transform(bq.main._cvg_json_elements(j), element -> bq.main.float64(element));

CREATE OR REPLACE MACRO bq.main._cvg_lax_float64_array(j) AS
    list_transform(bq.main._cvg_lax_json_elements(j), element -> bq.main.lax_float64(element));

CREATE OR REPLACE MACRO bq.main._cvg_int64_array(j) AS
    list_transform(bq.main._cvg_json_elements(j), element -> bq.main.int64(element));

CREATE OR REPLACE MACRO bq.main._cvg_lax_int64_array(j) AS
    list_transform(bq.main._cvg_lax_json_elements(j), element -> bq.main.lax_int64(element));

CREATE OR REPLACE MACRO bq.main._cvg_string_array(j) AS
    list_transform(bq.main._cvg_json_elements(j), element -> bq.main._string(element));

CREATE OR REPLACE MACRO bq.main._cvg_lax_string_array(j) AS
    list_transform(bq.main._cvg_lax_json_elements(j), element -> bq.main.lax_string(element));
