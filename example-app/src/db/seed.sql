-- A small school for the first `curl`. The same text runs on SQLite and PostgreSQL.

INSERT INTO organization (id, name, shortcode) VALUES
    (1, 'Avanti Fellows', 'af'),
    (2, 'Delhi Public Library', 'dpl');

INSERT INTO "user" (id, email, first_name, last_name, mobile, status, config) VALUES
    (1, 'ada@example.org', 'Ada', 'Lovelace', '+91 98100 00001', 'approved', '{"locale": "en"}'),
    (2, 'grace@example.org', 'Grace', 'Hopper', NULL, 'approved', NULL),
    (3, 'meena@example.org', 'Meena', 'Rao', '+91 98100 00003', 'approved', '{"locale": "hi"}');

INSERT INTO organization_user (id, user_id, organization_id, role, is_owner) VALUES
    (1, 1, 1, 'org-admin', true),
    (2, 2, 1, 'org-view', false),
    (3, 3, 1, 'org-view', false),
    (4, 3, 2, 'org-admin', true);

INSERT INTO video (id, url, title, duration) VALUES
    (1, 'https://www.youtube.com/watch?v=bN06S9sKPNg', 'Photosynthesis', 312),
    (2, 'https://www.youtube.com/watch?v=kKKM8Y-u7ds', 'Newton''s laws of motion', 425.5);

INSERT INTO image (id, url, alt_text) VALUES
    (1, 'https://example.org/leaf.png', 'A leaf, cut open'),
    (2, 'https://example.org/cart.png', 'A cart on a slope');

INSERT INTO plio (id, uuid, name, video_id, created_by_id, status, config) VALUES
    (1, 'photosynth', 'How plants eat', 1, 3, 'published', '{"snackbar": true}'),
    (2, 'newtonlaws', 'Why carts roll', 2, 1, 'published', NULL),
    (3, 'emptydraft', 'An empty draft', NULL, 3, 'draft', NULL);

INSERT INTO item (id, plio_id, type, time, meta) VALUES
    (1, 1, 'question', 42, '{"source": {"name": "demo"}}'),
    (2, 1, 'question', 127.5, NULL),
    (3, 1, 'question', 290, NULL),
    (4, 2, 'question', 60, NULL),
    (5, 2, 'question', 200, NULL);

INSERT INTO question (id, item_id, type, text, options, correct_answer, image_id, survey, has_char_limit, max_char_limit) VALUES
    (1, 1, 'mcq', 'Where does it happen?', '["In the leaf", "In the root", "In the soil"]', '0', 1, false, false, NULL),
    (2, 2, 'checkbox', 'What does the plant take in?', '["Water", "Light", "Stones"]', '[0, 1]', NULL, false, false, NULL),
    (3, 3, 'subjective', 'Tell it in your own words', '[]', NULL, NULL, true, true, 200),
    (4, 4, 'mcq', 'Which law is this?', '["The first", "The second", "The third"]', '0', 2, false, false, NULL),
    (5, 5, 'mcq', 'And this one?', '["The first", "The second", "The third"]', '2', NULL, false, false, NULL);
