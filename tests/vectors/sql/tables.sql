CREATE TABLE views (n Int64, m Int64, cdn String, tags Array(String), at DateTime('UTC'), at_ms DateTime64(3, 'UTC'), j JSON, place Tuple(city String, zip Int32), amount Decimal(18, 4), maybe Nullable(Int64), kv Map(String, Int64)) ENGINE = ReplacingMergeTree ORDER BY (cityHash64(n), n, m) SAMPLE BY cityHash64(n)
INSERT INTO views SELECT number % 7, number, concat('cdn', toString(number % 3)), [concat('t', toString(number % 2)), 'x'], toDateTime('2026-03-01 00:00:00', 'UTC') + number * 97, toDateTime64('2026-03-01 00:00:00.125', 3, 'UTC') + number * 97, '{"a": {"b": 7}, "s": "text"}', ('city', 1000 + number), number / 3, if(number % 2, number, NULL), map('k', number) FROM numbers(40)
INSERT INTO views SELECT number % 3, 100 + number, 'cdn9', [], toDateTime('2026-03-02 00:00:00', 'UTC'), toDateTime64('2026-03-02 00:00:00', 3, 'UTC'), '{}', ('', 0), 1, NULL, map() FROM numbers(5)
CREATE TABLE sessions (n Int64, cdn String, at DateTime('UTC'), s AggregateFunction(sum, Int64)) ENGINE = MergeTree ORDER BY n
INSERT INTO sessions SELECT number % 5, concat('cdn', toString(number % 2)), toDateTime('2026-03-01 00:10:00', 'UTC'), sumState(toInt64(number)) FROM numbers(15) GROUP BY number
CREATE TABLE titles (n Int64, title String) ENGINE = Join(ANY, LEFT, n)
INSERT INTO titles SELECT number, concat('title ', toString(number)) FROM numbers(7)
CREATE TABLE secret (x String, n Int64, m Int64) ENGINE = MergeTree ORDER BY n
INSERT INTO secret SELECT 'SECRET-IN-A-ROW', 42424242, 42424242 FROM numbers(7)
CREATE TABLE secjoin (x String, v String) ENGINE = Join(ANY, LEFT, x)
INSERT INTO secjoin VALUES ('a', 'SECRET-IN-A-ROW')
CREATE DATABASE other
CREATE TABLE other.secret (x String, n Int64) ENGINE = MergeTree ORDER BY n
INSERT INTO other.secret VALUES ('SECRET-IN-A-ROW', 42424242)
CREATE TABLE other.secjoin (x String, v String) ENGINE = Join(ANY, LEFT, x)
INSERT INTO other.secjoin VALUES ('a', 'SECRET-IN-A-ROW')
CREATE DICTIONARY secdict (n Int64, x String) PRIMARY KEY n SOURCE(CLICKHOUSE(TABLE 'secret' DB 'default')) LAYOUT(FLAT()) LIFETIME(0)
CREATE FUNCTION leak AS x -> concat(x, 'SECRET-IN-A-ROW')
