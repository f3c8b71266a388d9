-- What expressions of each kind are made of, one a line; grammar.py tells how the places are filled.

-- [int]
{int} + {int}
{int} - {int}
{int} * 2
{int} % 7
-{int}
@ {int}
{int} & 6
{int} << 1
abs({int})
length({text})
octet_length({bytes})
coalesce({int}, {int_})
nullif({int}, {int_})
CASE WHEN {bool} THEN {int} ELSE {int} END
CASE {int} WHEN {int_} THEN {int} END
greatest({int}, {int_})
least({int}, {int})
cardinality({ints})
({ints})[1]
array_length({ints}, 1)
array_position({ints}, {int_})
extract(year FROM {date})::int
extract(dow FROM {stamp})::int
date_part('hour', {moment})::int
({jsonb} ->> 'n')::numeric::int
{bool}::int
{small}::int
strpos({text}, 'a')
ascii({text})
lower({span})
upper({span})
({place}).x
masklen({inet})
num_nulls({text}, {int})
(SELECT count(*)::int FROM moon)
(SELECT max(size) FROM moon WHERE planet_id = {int})
sign({num})::text::float8::int
width_bucket({int}::numeric, 0, 10, 5)
hashtext({text}) % 5
position('l' IN {varchar})
bit_length({text})
mod({int}, 5)
scale({num})

-- [small]
{small} / 2::smallint
abs({small})
{small} | 1::smallint

-- [big]
{big} / 3
{int}::bigint * 1000000007
(SELECT count(*) FROM planet)
extract(epoch FROM {date})::bigint
count(*) OVER ()
factorial(5)::bigint
length({text})::int8

-- [num]
{num} + {num}
{num} * {num}
{num} - {int}
round({num}, 2)
trunc({num})
abs({num})
{num}::numeric(20, 3)
extract(epoch FROM {period})
{int} / 7.0
coalesce({num}, {num_})
CASE WHEN {bool} THEN {num} END
floor({num})
power({int}::numeric % 9, 2)
div({num}, 3)
{num} ^ 2
to_number('12,454.8', '99G999D9')
avg({num}) OVER ()
({jsonb} -> 'n')::numeric

-- [real]
{real} + {real}
{real} * 2::real
{num}::real

-- [float]
{float} + {float}
{float} / 3
sqrt(abs({float}))
sin({float})
{int}::float8 / 3
{real}::float8
round({float})
degrees({float})
{num}::float8
pi()
random() * 0
ln(abs({float}) + 1)

-- [bool]
{int} > {int}
{int} = {int_}
{text} = {text}
{text} LIKE '%a%'
{text} ILIKE 'P%'
{text} ~ '[0-9]$'
{bool} AND {bool}
{bool} OR {bool}
NOT {bool}
{int} IS NULL
{text} IS NOT NULL
{int} BETWEEN {int_} AND {int}
{int} IN ({int_}, {int_}, {int_})
{int} NOT IN (1, {int_})
{int} = ANY ({ints})
{int} <> ALL ({ints})
{ints} @> ARRAY[{int_}]
{ints} && {ints}
{jsonb} @> {jsonb_}
{jsonb} ? 'n'
{jsonb} @? '$.tags[*]'
{span} @> {int}
{span} && {span_}
{date} < {date}
{moment} >= {moment_}
{stamp} = {stamp}
{mood} > {mood_}
{uuid} <> {uuid_}
{num} IS DISTINCT FROM {num}
{inet} << inet '10.0.0.0/8'
{bool} IS NOT TRUE
{text} SIMILAR TO '(a|p)%'
EXISTS (SELECT 1 FROM planet q WHERE q.star_id = {int})
{int} IN (SELECT planet_id FROM moon)
({int}, {text}) < ({int}, {text})
starts_with({text}, 'p')
isfinite({date})
{bytes} > {bytes_}
(DATE '2020-01-01', INTERVAL '9 years') OVERLAPS ({date}, {date})
{char} = {char_}
{varchar} >= {varchar}
now() > timestamptz '2001-01-01'
current_date > date '2001-01-01'
random() < 2

-- [text]
{text} || {text}
upper({text})
lower({text})
initcap({text})
substr({text}, 2, 3)
trim({text})
substring({text} FROM '[a-z]+')
replace({text}, 'a', 'b')
coalesce({text}, {text_})
{int}::text
{num}::text
{date}::text
{moment}::text
{period}::text
{float}::text
{bytes}::text
{bool}::text
to_char({num}, 'FM999990.099')
to_char({moment}, 'YYYY-MM-DD HH24:MI TZ')
to_char({date}, 'Day, DD Mon')
CASE WHEN {bool} THEN {text} ELSE {text_} END
left({text}, {int})
lpad({text}, 8, '*')
reverse({text})
concat({text}, {int}, {bool})
concat_ws('-', {text}, {text})
format('%s/%L', {text}, {int})
md5({text})
split_part({text}, ' ', 1)
array_to_string({texts}, ',')
({texts})[1]
{jsonb} #>> '{{deep,x}}'
{jsonb}::text
{span}::text
{mood}::text
{uuid}::text
quote_literal({text})
encode({bytes}, 'base64')
regexp_replace({text}, '[aeiou]', '.', 'g')
overlay({text} PLACING '#' FROM 1 FOR 1)
repeat({text}, 2)
{char}::text
({place}).label
host({inet})
translate({text}, 'abc', 'xyz')
{varchar} || '!'
jsonb_typeof({jsonb})
to_hex(abs({int}))
chr(65 + abs({int}) % 20)
{text} COLLATE "C"
current_setting('DateStyle')
current_user::text
quote_ident({text})
normalize({text})

-- [varchar]
{text}::varchar(5)
{varchar}::varchar(3)

-- [char]
{text}::char(4)
{char}::char(2)

-- [mood]
coalesce({mood}, {mood_})
enum_last({mood})
CASE WHEN {bool} THEN {mood} END
'dark'::mood

-- [date]
{date} + {small}::int
{stamp}::date
{moment}::date
make_date(2020, 2, 29)
({date} + {period})::date
greatest({date}, {date_})
to_date('05 Dec 2000', 'DD Mon YYYY')
'2024-05-06'::date

-- [stamp]
{stamp} + {period}
date_trunc('month', {stamp})
{date}::timestamp
{moment} AT TIME ZONE 'Asia/Tokyo'
{moment}::timestamp
make_timestamp(2021, 3, 4, 5, 6, 7.5)
date_bin('15 min', {stamp}, '2001-01-01')

-- [moment]
{moment} + {period}
date_trunc('day', {moment})
{stamp} AT TIME ZONE 'Europe/Berlin'
{stamp}::timestamptz
{date}::timestamptz
to_timestamp({int})
date_trunc('hour', {moment}, 'Australia/Sydney')

-- [time]
{time} + interval '90 min'
{stamp}::time
make_time(8, 15, 23.5)

-- [period]
{period} * 2
{period} + {period}
justify_hours({period})
{date}::timestamp - {stamp}
-{period}
age({stamp}, {stamp_})
make_interval(days => {int})
{time}::interval

-- [uuid]
coalesce({uuid}, {uuid_})
md5({text})::uuid

-- [jsonb]
jsonb_build_object('a', {int}, 'b', {text})
jsonb_build_array({int}, {date}, {bool})
to_jsonb({text})
to_jsonb({moment})
{jsonb} -> 'deep'
jsonb_set({jsonb}, '{{z}}', '1')
{jsonb} || {jsonb}
to_jsonb(s)
{jsonb} - 'n'
jsonb_strip_nulls({jsonb})
jsonb_path_query_first({jsonb}, '$.n')
{json}::jsonb
to_jsonb({ints})

-- [json]
to_json({int})
row_to_json(s)
json_build_object('t', {time}, 'n', {num})
{jsonb}::json

-- [bytes]
{bytes} || {bytes}
substr({bytes}, 2)
convert_to({text}, 'UTF8')
decode('616263', 'hex')
sha256({bytes})

-- [ints]
{ints} || {int}
array_append({ints}, {int_})
array_remove({ints}, 1)
ARRAY[{int}, {int}]
({ints})[1:2]

-- [texts]
ARRAY[{text}, {text}]
{texts} || {text}
string_to_array({text}, ' ')
{ints}::text[]

-- [span]
{span} + {span_}
int4range(1, 10) * {span}
int4range({small}::int, NULL)

-- [place]
ROW({int}, {int_}, {text})::place
coalesce({place}, {place_})

-- [inet]
network({inet})::inet
{inet} + 3
set_masklen({inet_}, 16)

-- Code of users runs in these, whatever its labels say.
-- [user made]
twice({int})
{int} <~> {int}
biggest_moon()
(SELECT total(id) FROM planet)
(SELECT count(*) FROM planets_of({int}))

-- Each of these fails at run time, for some rows or for all.
-- [failures]
1 / ({int} - {int})
{text}::int
{text}::date
{int}::smallint * 30000::smallint
({ints})[1] / 0
{text}::mood
{jsonb} -> 'deep' -> 'x' ->> 0 || {text}::uuid::text
sqrt(-1 - abs({float}))
ln(0 * {int})
chr(0 * {int})
(SELECT id FROM star)
nosuch({int})
nosuchcolumn
{text} + 1
'x'::int4range

-- No sum of floats: it depends on the order of the rows.
-- [aggregates]
count(*)
count({int})
count(DISTINCT {text})
sum({int})
sum({num})
avg({num})
min({date})
max({text})
bool_or({bool})
every({bool})
max({moment})
stddev({int}::numeric)
sum({period})
string_agg({text}, ',' ORDER BY {key})
array_agg({int} ORDER BY {key})
jsonb_agg({text} ORDER BY {key})
json_agg({num} ORDER BY {key})
jsonb_object_agg(coalesce({text}, '-'), {int} ORDER BY {key})
count(*) FILTER (WHERE {bool})
percentile_cont(0.5) WITHIN GROUP (ORDER BY {small})
bit_and({int})
mode() WITHIN GROUP (ORDER BY {int})
range_agg({span})
array_agg(s ORDER BY {key})
percentile_disc(0.25) WITHIN GROUP (ORDER BY {date})
rank({int_}) WITHIN GROUP (ORDER BY {int})

-- [windows]
row_number() OVER (ORDER BY {key})
rank() OVER (PARTITION BY {bool} ORDER BY {int})
dense_rank() OVER (ORDER BY {text})
lag({text}) OVER (ORDER BY {key})
lead({int}, 2, 0) OVER w
sum({num}) OVER (PARTITION BY {int} % 3 ORDER BY {key})
first_value({date}) OVER w
ntile(3) OVER w
count(*) OVER (ORDER BY {int} RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING)
cume_dist() OVER w
array_agg({int}) OVER (ORDER BY {key} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES)

-- Of two columns.
-- [grouping]
GROUP BY 1, 2
GROUP BY ROLLUP (1, 2)
GROUP BY CUBE (1, 2)
GROUP BY GROUPING SETS ((1), (2), ())
GROUP BY DISTINCT ROLLUP (1, 2), 1

-- [limit]
LIMIT ALL
LIMIT {id_}
LIMIT 3 OFFSET 1
FETCH FIRST 2 ROWS ONLY
OFFSET 2
