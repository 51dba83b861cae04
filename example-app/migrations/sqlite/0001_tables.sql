-- Plio's tables. Whatever the server fills in has a default here as well, so that plain SQL can insert rows.

CREATE TABLE organization (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    shortcode TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE "user" (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL DEFAULT '',
    last_name TEXT NOT NULL DEFAULT '',
    mobile TEXT,
    config TEXT CHECK (config IS NULL OR json_valid(config)),
    status TEXT NOT NULL DEFAULT 'waitlist',
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE organization_user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    role TEXT NOT NULL DEFAULT 'org-view',
    is_owner BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (user_id, organization_id)
);
CREATE INDEX organization_user_organization ON organization_user (organization_id);

CREATE TABLE video (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    duration REAL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL,
    alt_text TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE plio (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE DEFAULT (
        char(97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26))
        || char(97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26))
    ),
    name TEXT NOT NULL DEFAULT '',
    video_id INTEGER REFERENCES video (id) ON DELETE SET NULL,
    created_by_id INTEGER NOT NULL REFERENCES "user" (id),
    status TEXT NOT NULL DEFAULT 'draft',
    is_public BOOLEAN NOT NULL DEFAULT TRUE,
    failsafe_url TEXT NOT NULL DEFAULT '',
    config TEXT CHECK (config IS NULL OR json_valid(config)),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX plio_video ON plio (video_id);
CREATE INDEX plio_created_by ON plio (created_by_id);

CREATE TABLE item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    plio_id INTEGER NOT NULL REFERENCES plio (id) ON DELETE CASCADE,
    type TEXT NOT NULL DEFAULT 'question',
    time REAL NOT NULL DEFAULT 0,
    meta TEXT CHECK (meta IS NULL OR json_valid(meta)),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX item_plio ON item (plio_id);

CREATE TABLE question (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    type TEXT NOT NULL DEFAULT 'mcq',
    text TEXT NOT NULL DEFAULT '',
    options TEXT CHECK (options IS NULL OR json_valid(options)),
    correct_answer TEXT CHECK (correct_answer IS NULL OR json_valid(correct_answer)),
    survey BOOLEAN NOT NULL DEFAULT FALSE,
    image_id INTEGER REFERENCES image (id) ON DELETE SET NULL,
    has_char_limit BOOLEAN NOT NULL DEFAULT FALSE,
    max_char_limit INTEGER,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX question_item ON question (item_id);
CREATE INDEX question_image ON question (image_id);
