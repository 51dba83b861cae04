CREATE TABLE IF NOT EXISTS "cache_outbox" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tag text NOT NULL,
  writer bigint NOT NULL DEFAULT coalesce(nullif(current_setting('cache.writer', true), ''), '0')::bigint,
  xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  delivered_to bigint
);

DO $cache$
DECLARE
  here text := quote_ident(current_schema()) || '.';
BEGIN
  IF to_regclass(here || '"cache_outbox_waiting"') IS NULL THEN
    CREATE INDEX "cache_outbox_waiting" ON "cache_outbox" (xact, id) WHERE delivered_at IS NULL;
  END IF;
  IF to_regclass(here || '"cache_outbox_own"') IS NULL THEN
    CREATE INDEX "cache_outbox_own" ON "cache_outbox" (writer, id) WHERE writer <> 0;
  END IF;
  IF to_regclass(here || '"cache_outbox_delivered"') IS NULL THEN
    CREATE INDEX "cache_outbox_delivered" ON "cache_outbox" (delivered_at) WHERE delivered_at IS NOT NULL;
  END IF;
END
$cache$;

CREATE TABLE IF NOT EXISTS "cache_outbox_stamp" (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), stamp text NOT NULL, identity text NOT NULL
);

CREATE UNLOGGED TABLE IF NOT EXISTS "cache_outbox_life" (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  life text NOT NULL DEFAULT md5(random()::text || clock_timestamp())
);

DO $cache$
BEGIN
  PERFORM r."id" FROM "video" r WHERE 1 = 0;
END
$cache$;

DO $cache$
BEGIN
  PERFORM r."id" FROM "organization" r WHERE 1 = 0;
END
$cache$;

DO $cache$
BEGIN
  PERFORM r."id", r."organization_id", r."user_id" FROM "organization_user" r WHERE 1 = 0;
END
$cache$;

DO $cache$
BEGIN
  PERFORM r."id" FROM "user" r WHERE 1 = 0;
END
$cache$;

DO $cache$
BEGIN
  PERFORM r."created_at", r."created_by_id", r."id", r."name", r."video_id", r."deleted_at" IS NULL, r."status" = 'it''s published' FROM "plio" r WHERE 1 = 0;
END
$cache$;

DO $cache$
BEGIN
  PERFORM r."id", r."plio_id" FROM "item" r WHERE 1 = 0;
END
$cache$;

DO $cache$
BEGIN
  PERFORM r."id", r."item_id" FROM "question" r WHERE 1 = 0;
END
$cache$;

DO $cache$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT what, tab, col, format_type(a.atttypid, a.atttypmod) AS type
    FROM (VALUES
      ('the id of video', '"video"', 'id'),
      ('the id of organization', '"organization"', 'id'),
      ('a reference of organization-user', '"organization_user"', 'user_id'),
      ('a reference of organization-user', '"organization_user"', 'organization_id'),
      ('the id of user', '"user"', 'id'),
      ('the id of plio', '"plio"', 'id'),
      ('a reference of plio', '"plio"', 'created_by_id'),
      ('a reference of item', '"item"', 'plio_id'),
      ('a reference of question', '"question"', 'item_id')
    ) AS columns(what, tab, col)
    JOIN pg_attribute AS a ON a.attrelid = to_regclass(tab) AND a.attname = col
    WHERE NOT EXISTS (
    WITH RECURSIVE base(type, typmod) AS (
      SELECT a.atttypid, a.atttypmod
      UNION ALL SELECT typbasetype, typtypmod FROM base JOIN pg_type ON oid = type WHERE typtype = 'd'
    )
    SELECT FROM base JOIN pg_type ON pg_type.oid = base.type
    WHERE typtype = 'e' OR typnamespace = 'pg_catalog'::regnamespace AND (
      typname IN ('bool', 'int2', 'int4', 'int8', 'oid', 'uuid', 'char', 'name', 'bytea', 'bit', 'varbit',
        'date', 'time', 'timestamp', 'timestamptz', 'macaddr', 'macaddr8')
      OR typname = 'numeric' AND base.typmod <> -1
      OR typname IN ('text', 'varchar') AND NOT EXISTS (
        SELECT FROM pg_collation WHERE oid = a.attcollation AND NOT collisdeterministic)))
  LOOP
    RAISE EXCEPTION '%, %.%, has type %: two of its values may be equal and have different texts, so that a write of the one would not reach what was read by the other', it.what, it.tab, it.col, it.type USING HINT = 'use a type with one text for each value, such as text, bigint, uuid or numeric with a scale';
  END LOOP;
END
$cache$;

DO $cache$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT what, tab, col, format_type(a.atttypid, a.atttypmod) AS type
    FROM (VALUES
      ('a condition of the list plios-of-user', '"plio"', 'status')
    ) AS columns(what, tab, col)
    JOIN pg_attribute AS a ON a.attrelid = to_regclass(tab) AND a.attname = col
    WHERE EXISTS (
    WITH RECURSIVE base(type) AS (
      SELECT a.atttypid UNION ALL SELECT typbasetype FROM base JOIN pg_type ON oid = type WHERE typtype = 'd'
    )
    SELECT FROM base JOIN pg_type ON pg_type.oid = base.type
    JOIN pg_namespace ON pg_namespace.oid = typnamespace
    WHERE typtype NOT IN ('d', 'e') AND nspname NOT IN ('pg_catalog', current_schema()))
  LOOP
    RAISE EXCEPTION '%, %.%, has type %: the type is of a schema that the triggers do not look into, so that they would compare it in another way', it.what, it.tab, it.col, it.type USING HINT = 'move the extension into the schema of the outbox with ALTER EXTENSION, or compare another column';
  END LOOP;
END
$cache$;

DO $cache$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT what, tab, col, format_type(a.atttypid, a.atttypmod) AS type
    FROM (VALUES
      ('a condition of the list plios-of-user', '"plio"', 'status')
    ) AS columns(what, tab, col)
    JOIN pg_attribute AS a ON a.attrelid = to_regclass(tab) AND a.attname = col
    WHERE format_type(a.atttypid, NULL) IN ('timestamp with time zone', 'time with time zone')
  LOOP
    RAISE EXCEPTION '%, %.%, has type %: what the text of a time means depends on the time zone of who asks', it.what, it.tab, it.col, it.type USING HINT = 'compare with { null = true } or { null = false }, or another column';
  END LOOP;
END
$cache$;

CREATE OR REPLACE FUNCTION "cache_outbox_video"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('video#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('video#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('video#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('video#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_video"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_video_insert" AFTER INSERT ON "video"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE OR REPLACE TRIGGER "cache_outbox_video_delete" AFTER DELETE ON "video"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE OR REPLACE TRIGGER "cache_outbox_video_update" AFTER UPDATE ON "video"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE OR REPLACE TRIGGER "cache_outbox_video_truncate" AFTER TRUNCATE ON "video"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE OR REPLACE FUNCTION "cache_outbox_organization"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('organization#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('organization#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('organization#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('organization#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_organization"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_organization_insert" AFTER INSERT ON "organization"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE OR REPLACE TRIGGER "cache_outbox_organization_delete" AFTER DELETE ON "organization"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE OR REPLACE TRIGGER "cache_outbox_organization_update" AFTER UPDATE ON "organization"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE OR REPLACE TRIGGER "cache_outbox_organization_truncate" AFTER TRUNCATE ON "organization"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE OR REPLACE FUNCTION "cache_outbox_organization_user"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."user_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('organization-user#user_id=' || r."user_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."organization_id"::text COLLATE "C", cache_toml_new."user_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-organization:organization-user#organization_id=' || r."organization_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."user_id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('organization-user#user_id=' || r."user_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."organization_id"::text COLLATE "C", cache_toml_old."user_id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-organization:organization-user#organization_id=' || r."organization_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."user_id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."user_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('organization-user#user_id=' || r."user_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM ((SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."organization_id"::text COLLATE "C", cache_toml_old."user_id"::text COLLATE "C" FROM cache_toml_old EXCEPT SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."organization_id"::text COLLATE "C", cache_toml_new."user_id"::text COLLATE "C" FROM cache_toml_new) UNION ALL (SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."organization_id"::text COLLATE "C", cache_toml_new."user_id"::text COLLATE "C" FROM cache_toml_new EXCEPT SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."organization_id"::text COLLATE "C", cache_toml_old."user_id"::text COLLATE "C" FROM cache_toml_old)) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-organization:organization-user#organization_id=' || r."organization_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('organization-user#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_organization_user"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_organization_user_insert" AFTER INSERT ON "organization_user"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE OR REPLACE TRIGGER "cache_outbox_organization_user_delete" AFTER DELETE ON "organization_user"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE OR REPLACE TRIGGER "cache_outbox_organization_user_update" AFTER UPDATE ON "organization_user"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE OR REPLACE TRIGGER "cache_outbox_organization_user_truncate" AFTER TRUNCATE ON "organization_user"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE OR REPLACE FUNCTION "cache_outbox_user"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('user#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('user#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('user#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('user#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_user"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_user_insert" AFTER INSERT ON "user"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE OR REPLACE TRIGGER "cache_outbox_user_delete" AFTER DELETE ON "user"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE OR REPLACE TRIGGER "cache_outbox_user_update" AFTER UPDATE ON "user"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE OR REPLACE TRIGGER "cache_outbox_user_truncate" AFTER TRUNCATE ON "user"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE OR REPLACE FUNCTION "cache_outbox_plio"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('plio#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."created_by_id"::text COLLATE "C", cache_toml_new."created_at"::text COLLATE "C" FROM cache_toml_new WHERE cache_toml_new."status" = 'it''s published' AND cache_toml_new."deleted_at" IS NULL) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-user:plio#created_by_id=' || r."created_by_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."created_by_id"::text COLLATE "C", cache_toml_new."name"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-organization:plio#created_by_id=' || r."created_by_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('all-plios:plio#=')) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('plio#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."created_by_id"::text COLLATE "C", cache_toml_old."created_at"::text COLLATE "C" FROM cache_toml_old WHERE cache_toml_old."status" = 'it''s published' AND cache_toml_old."deleted_at" IS NULL) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-user:plio#created_by_id=' || r."created_by_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."created_by_id"::text COLLATE "C", cache_toml_old."name"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-organization:plio#created_by_id=' || r."created_by_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('all-plios:plio#=')) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('plio#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM ((SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."created_by_id"::text COLLATE "C", cache_toml_old."created_at"::text COLLATE "C" FROM cache_toml_old WHERE cache_toml_old."status" = 'it''s published' AND cache_toml_old."deleted_at" IS NULL EXCEPT SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."created_by_id"::text COLLATE "C", cache_toml_new."created_at"::text COLLATE "C" FROM cache_toml_new WHERE cache_toml_new."status" = 'it''s published' AND cache_toml_new."deleted_at" IS NULL) UNION ALL (SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."created_by_id"::text COLLATE "C", cache_toml_new."created_at"::text COLLATE "C" FROM cache_toml_new WHERE cache_toml_new."status" = 'it''s published' AND cache_toml_new."deleted_at" IS NULL EXCEPT SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."created_by_id"::text COLLATE "C", cache_toml_old."created_at"::text COLLATE "C" FROM cache_toml_old WHERE cache_toml_old."status" = 'it''s published' AND cache_toml_old."deleted_at" IS NULL)) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-user:plio#created_by_id=' || r."created_by_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM ((SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."created_by_id"::text COLLATE "C", cache_toml_old."name"::text COLLATE "C" FROM cache_toml_old EXCEPT SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."created_by_id"::text COLLATE "C", cache_toml_new."name"::text COLLATE "C" FROM cache_toml_new) UNION ALL (SELECT cache_toml_new."id"::text COLLATE "C", cache_toml_new."created_by_id"::text COLLATE "C", cache_toml_new."name"::text COLLATE "C" FROM cache_toml_new EXCEPT SELECT cache_toml_old."id"::text COLLATE "C", cache_toml_old."created_by_id"::text COLLATE "C", cache_toml_old."name"::text COLLATE "C" FROM cache_toml_old)) AS r
    CROSS JOIN LATERAL (VALUES ('plios-of-organization:plio#created_by_id=' || r."created_by_id")) AS t(tag)
    WHERE t.tag IS NOT NULL
    UNION
    SELECT DISTINCT t.tag
    FROM ((SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old EXCEPT SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new) UNION ALL (SELECT cache_toml_new."id"::text COLLATE "C" FROM cache_toml_new EXCEPT SELECT cache_toml_old."id"::text COLLATE "C" FROM cache_toml_old)) AS r
    CROSS JOIN LATERAL (VALUES ('all-plios:plio#=')) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('plio#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_plio"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_plio_insert" AFTER INSERT ON "plio"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE OR REPLACE TRIGGER "cache_outbox_plio_delete" AFTER DELETE ON "plio"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE OR REPLACE TRIGGER "cache_outbox_plio_update" AFTER UPDATE ON "plio"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE OR REPLACE TRIGGER "cache_outbox_plio_truncate" AFTER TRUNCATE ON "plio"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE OR REPLACE FUNCTION "cache_outbox_item"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."plio_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('item#plio_id=' || r."plio_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."plio_id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('item#plio_id=' || r."plio_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."plio_id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."plio_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('item#plio_id=' || r."plio_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('item#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_item"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_item_insert" AFTER INSERT ON "item"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE OR REPLACE TRIGGER "cache_outbox_item_delete" AFTER DELETE ON "item"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE OR REPLACE TRIGGER "cache_outbox_item_update" AFTER UPDATE ON "item"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE OR REPLACE TRIGGER "cache_outbox_item_truncate" AFTER TRUNCATE ON "item"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE OR REPLACE FUNCTION "cache_outbox_question"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64'
SET quote_all_identifiers = off AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_new."item_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('question#item_id=' || r."item_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."item_id"::text COLLATE "C" FROM cache_toml_old) AS r
    CROSS JOIN LATERAL (VALUES ('question#item_id=' || r."item_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag) -- Is a column missing? Then a migration took it away: run SCHEMA.install of a cache.toml that fits
    SELECT DISTINCT t.tag
    FROM (SELECT cache_toml_old."item_id"::text COLLATE "C" FROM cache_toml_old UNION ALL SELECT cache_toml_new."item_id"::text COLLATE "C" FROM cache_toml_new) AS r
    CROSS JOIN LATERAL (VALUES ('question#item_id=' || r."item_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('question#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = ''
    AND current_setting('max_prepared_transactions') = '0' THEN
    PERFORM pg_notify('cache_outbox', '');
  END IF;
  RETURN NULL;
END
$cache$;

DO $cache$
BEGIN
  EXECUTE format('ALTER FUNCTION "cache_outbox_question"() SET search_path = %I, pg_temp', current_schema());
END
$cache$;

CREATE OR REPLACE TRIGGER "cache_outbox_question_insert" AFTER INSERT ON "question"
REFERENCING NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

CREATE OR REPLACE TRIGGER "cache_outbox_question_delete" AFTER DELETE ON "question"
REFERENCING OLD TABLE AS cache_toml_old FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

CREATE OR REPLACE TRIGGER "cache_outbox_question_update" AFTER UPDATE ON "question"
REFERENCING OLD TABLE AS cache_toml_old NEW TABLE AS cache_toml_new FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

CREATE OR REPLACE TRIGGER "cache_outbox_question_truncate" AFTER TRUNCATE ON "question"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

DO $cache$
DECLARE
  report record;
  it record;
BEGIN
  FOR report IN
    SELECT oid FROM pg_proc
    WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND prorettype = 'trigger'::regtype
      AND strpos(prosrc, 'INSERT INTO "cache_outbox" (tag)') > 0
  LOOP
    FOR it IN
      SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
      WHERE tgfoid = report.oid AND NOT EXISTS (
        SELECT FROM (VALUES
          ('cache_outbox_video_insert', '"video"'),
          ('cache_outbox_video_delete', '"video"'),
          ('cache_outbox_video_update', '"video"'),
          ('cache_outbox_video_truncate', '"video"'),
          ('cache_outbox_organization_insert', '"organization"'),
          ('cache_outbox_organization_delete', '"organization"'),
          ('cache_outbox_organization_update', '"organization"'),
          ('cache_outbox_organization_truncate', '"organization"'),
          ('cache_outbox_organization_user_insert', '"organization_user"'),
          ('cache_outbox_organization_user_delete', '"organization_user"'),
          ('cache_outbox_organization_user_update', '"organization_user"'),
          ('cache_outbox_organization_user_truncate', '"organization_user"'),
          ('cache_outbox_user_insert', '"user"'),
          ('cache_outbox_user_delete', '"user"'),
          ('cache_outbox_user_update', '"user"'),
          ('cache_outbox_user_truncate', '"user"'),
          ('cache_outbox_plio_insert', '"plio"'),
          ('cache_outbox_plio_delete', '"plio"'),
          ('cache_outbox_plio_update', '"plio"'),
          ('cache_outbox_plio_truncate', '"plio"'),
          ('cache_outbox_item_insert', '"item"'),
          ('cache_outbox_item_delete', '"item"'),
          ('cache_outbox_item_update', '"item"'),
          ('cache_outbox_item_truncate', '"item"'),
          ('cache_outbox_question_insert', '"question"'),
          ('cache_outbox_question_delete', '"question"'),
          ('cache_outbox_question_update', '"question"'),
          ('cache_outbox_question_truncate', '"question"'),
          (NULL, NULL)
        ) AS wanted(name, of) WHERE wanted.name = tgname AND to_regclass(wanted.of) = tgrelid)
    LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.tab);
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = report.oid) THEN
      EXECUTE format('DROP FUNCTION %s', report.oid::regprocedure);
    END IF;
  END LOOP;
END
$cache$;

