CREATE TABLE IF NOT EXISTS "cache_outbox" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tag text NOT NULL,
  writer bigint NOT NULL DEFAULT coalesce(nullif(current_setting('cache.writer', true), ''), '0')::bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  delivered_to bigint
);

CREATE INDEX IF NOT EXISTS "cache_outbox_waiting" ON "cache_outbox" (writer, id) WHERE delivered_at IS NULL;

CREATE INDEX IF NOT EXISTS "cache_outbox_delivered" ON "cache_outbox" (delivered_at) WHERE delivered_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS "cache_outbox_stamp" (stamp text NOT NULL, identity text NOT NULL);

DO $cache$
DECLARE
  report record;
  it record;
BEGIN
  FOR report IN
    SELECT oid FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype
      AND strpos(prosrc, 'INSERT INTO "cache_outbox" (tag)') > 0
  LOOP
    FOR it IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger WHERE tgfoid = report.oid LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.tab);
    END LOOP;
    EXECUTE format('DROP FUNCTION %s', report.oid::regprocedure);
  END LOOP;
END
$cache$;

SELECT r."id" FROM "video" r WHERE 1 = 0;

SELECT r."id" FROM "organization" r WHERE 1 = 0;

SELECT r."id", r."organization_id", r."user_id" FROM "organization_user" r WHERE 1 = 0;

SELECT r."id" FROM "user" r WHERE 1 = 0;

SELECT r."created_by_id", r."id", r."video_id" FROM "plio" r WHERE 1 = 0;

SELECT r."id", r."plio_id" FROM "item" r WHERE 1 = 0;

SELECT r."id", r."item_id" FROM "question" r WHERE 1 = 0;

CREATE FUNCTION "cache_outbox_video"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('video#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('video#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows UNION ALL SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('video#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('video#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_video_insert" AFTER INSERT ON "video"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE TRIGGER "cache_outbox_video_delete" AFTER DELETE ON "video"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE TRIGGER "cache_outbox_video_update" AFTER UPDATE ON "video"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE TRIGGER "cache_outbox_video_truncate" AFTER TRUNCATE ON "video"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_video"();

CREATE FUNCTION "cache_outbox_organization"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('organization#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('organization#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows UNION ALL SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('organization#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('organization#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_organization_insert" AFTER INSERT ON "organization"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE TRIGGER "cache_outbox_organization_delete" AFTER DELETE ON "organization"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE TRIGGER "cache_outbox_organization_update" AFTER UPDATE ON "organization"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE TRIGGER "cache_outbox_organization_truncate" AFTER TRUNCATE ON "organization"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization"();

CREATE FUNCTION "cache_outbox_organization_user"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."user_id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('organization-user#user_id=' || r."user_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."user_id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('organization-user#user_id=' || r."user_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."user_id"::text FROM old_rows UNION ALL SELECT new_rows."user_id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('organization-user#user_id=' || r."user_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('organization-user#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_organization_user_insert" AFTER INSERT ON "organization_user"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE TRIGGER "cache_outbox_organization_user_delete" AFTER DELETE ON "organization_user"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE TRIGGER "cache_outbox_organization_user_update" AFTER UPDATE ON "organization_user"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE TRIGGER "cache_outbox_organization_user_truncate" AFTER TRUNCATE ON "organization_user"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_organization_user"();

CREATE FUNCTION "cache_outbox_user"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('user#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('user#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows UNION ALL SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('user#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('user#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_user_insert" AFTER INSERT ON "user"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE TRIGGER "cache_outbox_user_delete" AFTER DELETE ON "user"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE TRIGGER "cache_outbox_user_update" AFTER UPDATE ON "user"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE TRIGGER "cache_outbox_user_truncate" AFTER TRUNCATE ON "user"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_user"();

CREATE FUNCTION "cache_outbox_plio"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('plio#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('plio#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."id"::text FROM old_rows UNION ALL SELECT new_rows."id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('plio#id=' || r."id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('plio#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_plio_insert" AFTER INSERT ON "plio"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE TRIGGER "cache_outbox_plio_delete" AFTER DELETE ON "plio"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE TRIGGER "cache_outbox_plio_update" AFTER UPDATE ON "plio"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE TRIGGER "cache_outbox_plio_truncate" AFTER TRUNCATE ON "plio"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_plio"();

CREATE FUNCTION "cache_outbox_item"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."plio_id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('item#plio_id=' || r."plio_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."plio_id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('item#plio_id=' || r."plio_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."plio_id"::text FROM old_rows UNION ALL SELECT new_rows."plio_id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('item#plio_id=' || r."plio_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('item#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_item_insert" AFTER INSERT ON "item"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE TRIGGER "cache_outbox_item_delete" AFTER DELETE ON "item"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE TRIGGER "cache_outbox_item_update" AFTER UPDATE ON "item"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE TRIGGER "cache_outbox_item_truncate" AFTER TRUNCATE ON "item"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_item"();

CREATE FUNCTION "cache_outbox_question"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $cache$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT new_rows."item_id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('question#item_id=' || r."item_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."item_id"::text FROM old_rows) AS r
    CROSS JOIN LATERAL (VALUES ('question#item_id=' || r."item_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO "cache_outbox" (tag)
    SELECT DISTINCT t.tag
    FROM (SELECT old_rows."item_id"::text FROM old_rows UNION ALL SELECT new_rows."item_id"::text FROM new_rows) AS r
    CROSS JOIN LATERAL (VALUES ('question#item_id=' || r."item_id")) AS t(tag)
    WHERE t.tag IS NOT NULL;
  ELSE
    INSERT INTO "cache_outbox" (tag) VALUES ('question#*');
  END IF;
  IF FOUND AND coalesce(current_setting('cache.writer', true), '') = '' THEN
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

CREATE TRIGGER "cache_outbox_question_insert" AFTER INSERT ON "question"
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

CREATE TRIGGER "cache_outbox_question_delete" AFTER DELETE ON "question"
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

CREATE TRIGGER "cache_outbox_question_update" AFTER UPDATE ON "question"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

CREATE TRIGGER "cache_outbox_question_truncate" AFTER TRUNCATE ON "question"
FOR EACH STATEMENT EXECUTE FUNCTION "cache_outbox_question"();

