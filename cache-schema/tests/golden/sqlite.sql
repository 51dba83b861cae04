CREATE TABLE IF NOT EXISTS "cache_outbox" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tag TEXT NOT NULL,
  created_at REAL NOT NULL DEFAULT ((julianday('now') - 2440587.5) * 86400),
  delivered_at REAL,
  delivered_to INTEGER
);

CREATE INDEX IF NOT EXISTS "cache_outbox_waiting" ON "cache_outbox" (id) WHERE delivered_at IS NULL;

CREATE INDEX IF NOT EXISTS "cache_outbox_delivered" ON "cache_outbox" (delivered_at) WHERE delivered_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS "cache_outbox_stamp" (stamp TEXT NOT NULL, identity TEXT NOT NULL);

SELECT r."id" FROM "video" r WHERE 1 = 0;

SELECT r."id" FROM "organization" r WHERE 1 = 0;

SELECT r."id", r."organization_id", r."user_id" FROM "organization_user" r WHERE 1 = 0;

SELECT r."id" FROM "user" r WHERE 1 = 0;

SELECT r."created_at", r."created_by_id", r."id", r."name", r."video_id", r."deleted_at" IS NULL, r."status" = 'it''s published' FROM "plio" r WHERE 1 = 0;

SELECT r."id", r."plio_id" FROM "item" r WHERE 1 = 0;

SELECT r."id", r."item_id" FROM "question" r WHERE 1 = 0;

CREATE TRIGGER "cache_outbox_video_replace" BEFORE INSERT ON "video" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'video#id=' || iif(typeof("video"."id") = 'blob', hex("video"."id"), "video"."id") AS tag FROM "video" WHERE ("video"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_video_overwrite" BEFORE UPDATE ON "video" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'video#id=' || iif(typeof("video"."id") = 'blob', hex("video"."id"), "video"."id") AS tag FROM "video" WHERE ("video"."id" = NEW."id") AND NOT ("video"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_video_insert" AFTER INSERT ON "video" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'video#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_video_delete" AFTER DELETE ON "video" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'video#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_video_update" AFTER UPDATE ON "video" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'video#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
    UNION SELECT 'video#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_replace" BEFORE INSERT ON "organization" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization#id=' || iif(typeof("organization"."id") = 'blob', hex("organization"."id"), "organization"."id") AS tag FROM "organization" WHERE ("organization"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_overwrite" BEFORE UPDATE ON "organization" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization#id=' || iif(typeof("organization"."id") = 'blob', hex("organization"."id"), "organization"."id") AS tag FROM "organization" WHERE ("organization"."id" = NEW."id") AND NOT ("organization"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_insert" AFTER INSERT ON "organization" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_delete" AFTER DELETE ON "organization" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_update" AFTER UPDATE ON "organization" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
    UNION SELECT 'organization#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_user_replace" BEFORE INSERT ON "organization_user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization-user#user_id=' || iif(typeof("organization_user"."user_id") = 'blob', hex("organization_user"."user_id"), "organization_user"."user_id") AS tag FROM "organization_user" WHERE ("organization_user"."id" = NEW."id")
    UNION SELECT 'plios-of-organization:organization-user#organization_id=' || iif(typeof("organization_user"."organization_id") = 'blob', hex("organization_user"."organization_id"), "organization_user"."organization_id") AS tag FROM "organization_user" WHERE ("organization_user"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_user_overwrite" BEFORE UPDATE ON "organization_user" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization-user#user_id=' || iif(typeof("organization_user"."user_id") = 'blob', hex("organization_user"."user_id"), "organization_user"."user_id") AS tag FROM "organization_user" WHERE ("organization_user"."id" = NEW."id") AND NOT ("organization_user"."id" IS OLD."id")
    UNION SELECT 'plios-of-organization:organization-user#organization_id=' || iif(typeof("organization_user"."organization_id") = 'blob', hex("organization_user"."organization_id"), "organization_user"."organization_id") AS tag FROM "organization_user" WHERE ("organization_user"."id" = NEW."id") AND NOT ("organization_user"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_user_insert" AFTER INSERT ON "organization_user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization-user#user_id=' || iif(typeof(NEW."user_id") = 'blob', hex(NEW."user_id"), NEW."user_id") AS tag
    UNION SELECT 'plios-of-organization:organization-user#organization_id=' || iif(typeof(NEW."organization_id") = 'blob', hex(NEW."organization_id"), NEW."organization_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_user_delete" AFTER DELETE ON "organization_user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization-user#user_id=' || iif(typeof(OLD."user_id") = 'blob', hex(OLD."user_id"), OLD."user_id") AS tag
    UNION SELECT 'plios-of-organization:organization-user#organization_id=' || iif(typeof(OLD."organization_id") = 'blob', hex(OLD."organization_id"), OLD."organization_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_user_update" AFTER UPDATE ON "organization_user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'organization-user#user_id=' || iif(typeof(OLD."user_id") = 'blob', hex(OLD."user_id"), OLD."user_id") AS tag
    UNION SELECT 'organization-user#user_id=' || iif(typeof(NEW."user_id") = 'blob', hex(NEW."user_id"), NEW."user_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_organization_user_list" AFTER UPDATE ON "organization_user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plios-of-organization:organization-user#organization_id=' || iif(typeof(OLD."organization_id") = 'blob', hex(OLD."organization_id"), OLD."organization_id") AS tag WHERE (OLD."id" COLLATE BINARY IS NOT NEW."id" OR OLD."organization_id" COLLATE BINARY IS NOT NEW."organization_id" OR OLD."user_id" COLLATE BINARY IS NOT NEW."user_id")
    UNION SELECT 'plios-of-organization:organization-user#organization_id=' || iif(typeof(NEW."organization_id") = 'blob', hex(NEW."organization_id"), NEW."organization_id") AS tag WHERE (OLD."id" COLLATE BINARY IS NOT NEW."id" OR OLD."organization_id" COLLATE BINARY IS NOT NEW."organization_id" OR OLD."user_id" COLLATE BINARY IS NOT NEW."user_id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_user_replace" BEFORE INSERT ON "user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'user#id=' || iif(typeof("user"."id") = 'blob', hex("user"."id"), "user"."id") AS tag FROM "user" WHERE ("user"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_user_overwrite" BEFORE UPDATE ON "user" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'user#id=' || iif(typeof("user"."id") = 'blob', hex("user"."id"), "user"."id") AS tag FROM "user" WHERE ("user"."id" = NEW."id") AND NOT ("user"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_user_insert" AFTER INSERT ON "user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'user#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_user_delete" AFTER DELETE ON "user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'user#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_user_update" AFTER UPDATE ON "user" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'user#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
    UNION SELECT 'user#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_plio_replace" BEFORE INSERT ON "plio" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plio#id=' || iif(typeof("plio"."id") = 'blob', hex("plio"."id"), "plio"."id") AS tag FROM "plio" WHERE ("plio"."id" = NEW."id")
    UNION SELECT 'plios-of-user:plio#created_by_id=' || iif(typeof("plio"."created_by_id") = 'blob', hex("plio"."created_by_id"), "plio"."created_by_id") AS tag FROM "plio" WHERE ("plio"."id" = NEW."id") AND "plio"."status" = 'it''s published' AND "plio"."deleted_at" IS NULL
    UNION SELECT 'plios-of-organization:plio#created_by_id=' || iif(typeof("plio"."created_by_id") = 'blob', hex("plio"."created_by_id"), "plio"."created_by_id") AS tag FROM "plio" WHERE ("plio"."id" = NEW."id")
    UNION SELECT 'all-plios:plio#=' AS tag FROM "plio" WHERE ("plio"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_plio_overwrite" BEFORE UPDATE ON "plio" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plio#id=' || iif(typeof("plio"."id") = 'blob', hex("plio"."id"), "plio"."id") AS tag FROM "plio" WHERE ("plio"."id" = NEW."id") AND NOT ("plio"."id" IS OLD."id")
    UNION SELECT 'plios-of-user:plio#created_by_id=' || iif(typeof("plio"."created_by_id") = 'blob', hex("plio"."created_by_id"), "plio"."created_by_id") AS tag FROM "plio" WHERE ("plio"."id" = NEW."id") AND NOT ("plio"."id" IS OLD."id") AND "plio"."status" = 'it''s published' AND "plio"."deleted_at" IS NULL
    UNION SELECT 'plios-of-organization:plio#created_by_id=' || iif(typeof("plio"."created_by_id") = 'blob', hex("plio"."created_by_id"), "plio"."created_by_id") AS tag FROM "plio" WHERE ("plio"."id" = NEW."id") AND NOT ("plio"."id" IS OLD."id")
    UNION SELECT 'all-plios:plio#=' AS tag FROM "plio" WHERE ("plio"."id" = NEW."id") AND NOT ("plio"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_plio_insert" AFTER INSERT ON "plio" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plio#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
    UNION SELECT 'plios-of-user:plio#created_by_id=' || iif(typeof(NEW."created_by_id") = 'blob', hex(NEW."created_by_id"), NEW."created_by_id") AS tag WHERE NEW."status" = 'it''s published' AND NEW."deleted_at" IS NULL
    UNION SELECT 'plios-of-organization:plio#created_by_id=' || iif(typeof(NEW."created_by_id") = 'blob', hex(NEW."created_by_id"), NEW."created_by_id") AS tag
    UNION SELECT 'all-plios:plio#=' AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_plio_delete" AFTER DELETE ON "plio" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plio#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
    UNION SELECT 'plios-of-user:plio#created_by_id=' || iif(typeof(OLD."created_by_id") = 'blob', hex(OLD."created_by_id"), OLD."created_by_id") AS tag WHERE OLD."status" = 'it''s published' AND OLD."deleted_at" IS NULL
    UNION SELECT 'plios-of-organization:plio#created_by_id=' || iif(typeof(OLD."created_by_id") = 'blob', hex(OLD."created_by_id"), OLD."created_by_id") AS tag
    UNION SELECT 'all-plios:plio#=' AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_plio_update" AFTER UPDATE ON "plio" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plio#id=' || iif(typeof(OLD."id") = 'blob', hex(OLD."id"), OLD."id") AS tag
    UNION SELECT 'plio#id=' || iif(typeof(NEW."id") = 'blob', hex(NEW."id"), NEW."id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_plio_list" AFTER UPDATE ON "plio" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'plios-of-user:plio#created_by_id=' || iif(typeof(OLD."created_by_id") = 'blob', hex(OLD."created_by_id"), OLD."created_by_id") AS tag WHERE OLD."status" = 'it''s published' AND OLD."deleted_at" IS NULL AND (OLD."id" COLLATE BINARY IS NOT NEW."id" OR OLD."created_by_id" COLLATE BINARY IS NOT NEW."created_by_id" OR OLD."created_at" COLLATE BINARY IS NOT NEW."created_at" OR (NEW."status" = 'it''s published' AND NEW."deleted_at" IS NULL) IS NOT TRUE)
    UNION SELECT 'plios-of-user:plio#created_by_id=' || iif(typeof(NEW."created_by_id") = 'blob', hex(NEW."created_by_id"), NEW."created_by_id") AS tag WHERE NEW."status" = 'it''s published' AND NEW."deleted_at" IS NULL AND (OLD."id" COLLATE BINARY IS NOT NEW."id" OR OLD."created_by_id" COLLATE BINARY IS NOT NEW."created_by_id" OR OLD."created_at" COLLATE BINARY IS NOT NEW."created_at" OR (OLD."status" = 'it''s published' AND OLD."deleted_at" IS NULL) IS NOT TRUE)
    UNION SELECT 'plios-of-organization:plio#created_by_id=' || iif(typeof(OLD."created_by_id") = 'blob', hex(OLD."created_by_id"), OLD."created_by_id") AS tag WHERE (OLD."id" COLLATE BINARY IS NOT NEW."id" OR OLD."created_by_id" COLLATE BINARY IS NOT NEW."created_by_id" OR OLD."name" COLLATE BINARY IS NOT NEW."name")
    UNION SELECT 'plios-of-organization:plio#created_by_id=' || iif(typeof(NEW."created_by_id") = 'blob', hex(NEW."created_by_id"), NEW."created_by_id") AS tag WHERE (OLD."id" COLLATE BINARY IS NOT NEW."id" OR OLD."created_by_id" COLLATE BINARY IS NOT NEW."created_by_id" OR OLD."name" COLLATE BINARY IS NOT NEW."name")
    UNION SELECT 'all-plios:plio#=' AS tag WHERE (OLD."id" COLLATE BINARY IS NOT NEW."id")
    UNION SELECT 'all-plios:plio#=' AS tag WHERE (OLD."id" COLLATE BINARY IS NOT NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_item_replace" BEFORE INSERT ON "item" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'item#plio_id=' || iif(typeof("item"."plio_id") = 'blob', hex("item"."plio_id"), "item"."plio_id") AS tag FROM "item" WHERE ("item"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_item_overwrite" BEFORE UPDATE ON "item" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'item#plio_id=' || iif(typeof("item"."plio_id") = 'blob', hex("item"."plio_id"), "item"."plio_id") AS tag FROM "item" WHERE ("item"."id" = NEW."id") AND NOT ("item"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_item_insert" AFTER INSERT ON "item" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'item#plio_id=' || iif(typeof(NEW."plio_id") = 'blob', hex(NEW."plio_id"), NEW."plio_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_item_delete" AFTER DELETE ON "item" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'item#plio_id=' || iif(typeof(OLD."plio_id") = 'blob', hex(OLD."plio_id"), OLD."plio_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_item_update" AFTER UPDATE ON "item" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'item#plio_id=' || iif(typeof(OLD."plio_id") = 'blob', hex(OLD."plio_id"), OLD."plio_id") AS tag
    UNION SELECT 'item#plio_id=' || iif(typeof(NEW."plio_id") = 'blob', hex(NEW."plio_id"), NEW."plio_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_question_replace" BEFORE INSERT ON "question" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'question#item_id=' || iif(typeof("question"."item_id") = 'blob', hex("question"."item_id"), "question"."item_id") AS tag FROM "question" WHERE ("question"."id" = NEW."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_question_overwrite" BEFORE UPDATE ON "question" FOR EACH ROW
WHEN NEW."id" IS NOT NULL AND OLD."id" COLLATE BINARY IS NOT NEW."id"
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'question#item_id=' || iif(typeof("question"."item_id") = 'blob', hex("question"."item_id"), "question"."item_id") AS tag FROM "question" WHERE ("question"."id" = NEW."id") AND NOT ("question"."id" IS OLD."id")
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_question_insert" AFTER INSERT ON "question" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'question#item_id=' || iif(typeof(NEW."item_id") = 'blob', hex(NEW."item_id"), NEW."item_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_question_delete" AFTER DELETE ON "question" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'question#item_id=' || iif(typeof(OLD."item_id") = 'blob', hex(OLD."item_id"), OLD."item_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

CREATE TRIGGER "cache_outbox_question_update" AFTER UPDATE ON "question" FOR EACH ROW
BEGIN
  INSERT INTO "cache_outbox" (tag) SELECT tag FROM (
    SELECT 'question#item_id=' || iif(typeof(OLD."item_id") = 'blob', hex(OLD."item_id"), OLD."item_id") AS tag
    UNION SELECT 'question#item_id=' || iif(typeof(NEW."item_id") = 'blob', hex(NEW."item_id"), NEW."item_id") AS tag
  ) WHERE tag IS NOT NULL;
END;

