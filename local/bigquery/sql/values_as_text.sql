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
