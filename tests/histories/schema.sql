CREATE TABLE registers (id int PRIMARY KEY, token text NOT NULL, number int NOT NULL);
INSERT INTO registers SELECT i, 'first of register ' || i, 0 FROM generate_series(1, 8) AS i;
CREATE VIEW register_view AS SELECT id, token, number FROM registers;

-- Values are numbers alone: SET n = n + 1.
CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO counters SELECT i, 0 FROM generate_series(1, 4) AS i;

-- What one row of a pair loses the other gains.
CREATE TABLE accounts (
  id int PRIMARY KEY, pair int NOT NULL, amount int NOT NULL, token text NOT NULL, number int NOT NULL
);
INSERT INTO accounts
  SELECT 10 * p + side, p, 50, 'first of pair ' || p, 0 FROM generate_series(1, 3) AS p, generate_series(0, 1) AS side;

-- Rows that come and go: by themselves, or with the trip that brought them.
CREATE TABLE trips (token text PRIMARY KEY);
CREATE TABLE visits (
  token text PRIMARY KEY, place int NOT NULL, trip text REFERENCES trips ON DELETE CASCADE
);
CREATE INDEX ON visits (place);

-- A trigger copies each change: what a write of the one table reaches stands in no statement.
CREATE TABLE watched (id int PRIMARY KEY, token text NOT NULL, number int NOT NULL);
CREATE TABLE copies (id int PRIMARY KEY, token text NOT NULL, number int NOT NULL);
INSERT INTO watched SELECT i, 'first of watched ' || i, 0 FROM generate_series(1, 2) AS i;
INSERT INTO copies SELECT i, 'first of copy ' || i, 0 FROM generate_series(1, 2) AS i;
CREATE FUNCTION copy_change() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN UPDATE copies SET token = NEW.token, number = NEW.number WHERE id = NEW.id; RETURN NULL; END';
CREATE TRIGGER copying AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION copy_change();

-- Two tables that exchange their names: the next value is put on behind the scene.
CREATE TABLE stage (id int PRIMARY KEY, token text NOT NULL, number int NOT NULL);
CREATE TABLE backdrop (LIKE stage INCLUDING ALL);
INSERT INTO stage VALUES (1, 'first of stage 1', 0);
INSERT INTO backdrop VALUES (1, 'nobody sees this', -1);

CREATE FUNCTION set_register(which int, value text) RETURNS int LANGUAGE sql AS
  'UPDATE registers SET token = value, number = number + 1 WHERE id = which RETURNING number';
