-- PostgreSQL counts apart from the table: after rows with explicit ids its counters have to be told.

SELECT setval(pg_get_serial_sequence('organization', 'id'), (SELECT max(id) FROM organization));
SELECT setval(pg_get_serial_sequence('"user"', 'id'), (SELECT max(id) FROM "user"));
SELECT setval(pg_get_serial_sequence('organization_user', 'id'), (SELECT max(id) FROM organization_user));
SELECT setval(pg_get_serial_sequence('video', 'id'), (SELECT max(id) FROM video));
SELECT setval(pg_get_serial_sequence('image', 'id'), (SELECT max(id) FROM image));
SELECT setval(pg_get_serial_sequence('plio', 'id'), (SELECT max(id) FROM plio));
SELECT setval(pg_get_serial_sequence('item', 'id'), (SELECT max(id) FROM item));
SELECT setval(pg_get_serial_sequence('question', 'id'), (SELECT max(id) FROM question));
