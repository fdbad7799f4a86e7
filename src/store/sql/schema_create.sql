-- Make the schema and the table of applied migrations.
CREATE SCHEMA IF NOT EXISTS fliq;
CREATE TABLE IF NOT EXISTS fliq.schema_migrations (
    version     integer PRIMARY KEY,
    name        text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
