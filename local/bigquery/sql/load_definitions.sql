-- Purpose: have DuckLake load all definitions of a lake, by a look for the schema that is always there.
-- Parameters: ${lake} is the database of the project.
CREATE SCHEMA IF NOT EXISTS ${lake}.main
