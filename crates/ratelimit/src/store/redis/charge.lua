-- Decides a group of charges, one after the other, and carries each out: all of it, or nothing.
--
-- A script runs by itself, so nothing comes between what is read here and what is written. All buckets are
-- read at once, each charge finds them as those before it left them, and what has changed is written at the
-- end. A key that holds something else stays as it is, and every charge that has it answers so and changes
-- nothing; the others are none the worse.
-- The same decision in Rust, step for step: `Charge::decide`, `Bucket::at` and `Level::charge_more`.
--
-- Numbers are doubles here. A `Limit` keeps `2 * (burst + debt) * P` below 2^53, times are microseconds
-- or milliseconds (below 2^53 until the year 2255), and the few steps that could leave that range say
-- why they are right all the same. A quotient of two such integers never rounds across an integer, so
-- `floor(a / b)` and `ceil(a / b)` are exact.
--
-- KEYS: a bucket for each limit of the first charge, then of the second, and so on; all in one slot.
-- ARGV[1]: a byte for each charge that says how many limits it has, and after it one for each of them that
--   says what is asked of its bucket: which of the following arguments, counted from 1.
-- ARGV[2] and on: what is asked, as integers of eight bytes, high ones first, and what follows them:
--   per_tick    L: units that drain a tick
--   tick        microseconds a tick
--   most        the most units that the bucket may hold, debt included
--   room        the most units that may be consumed for the charge to have room; -1: it never has
--   cost        units to take
--   correction  units by which to correct the bucket first, below zero to give them back
--   refuses     a byte: 1 if the limit refuses, 0 if it is a shadow
--   scale       the rest, a text "P/L/tick": units a token, and the first two
--
-- A bucket is kept as two doubles, high bytes first, and a text: the units consumed (V), the tick up to
-- which they have drained (last), and the scale that both are counted in. Doubles, since numbers are
-- nothing else here, and reading and writing them as text took over a quarter of the script's time.
--
-- Reply: the server's time in microseconds; then for each limit, in the order of KEYS, a byte with its
-- answer (1 has room, 2 has room and was not taken, 3 refuses, 4 a key of the charge is not a bucket), V and
-- last after the decision, in the scale of the limit. Numbers are integers of eight bytes, high ones first.

local HAS_ROOM, NOT_TAKEN, REFUSES, NOT_A_BUCKET = 1, 2, 3, 4
local ASKED, ASKED_BYTES = '>I8I8I8i8I8i8B', 49
-- A key outlives its bucket by this, so that a clock that steps back by less, such as that of a replica
-- that takes over, finds nothing forgotten.
local MARGIN_MILLIS = 10000
local EXACT, MOST_UNITS = 9007199254740991, 4503599627370496
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min

local time = redis.call('TIME') -- the clock
local now = time[1] * 1000000 + time[2]

-- ceil(a * b / c) or `most`, whichever is less, for integers below 2^52: by long multiplication and
-- division, because the product may need 104 bits. The quotient so far only ever grows.
local function scaled(a, b, c, most)
  local whole, part = floor(b / c), b % c
  local quotient, rest = 0, 0
  local bit = MOST_UNITS
  while bit >= 1 do
    quotient, rest = quotient * 2, rest * 2
    if rest >= c then
      quotient, rest = quotient + 1, rest - c
    end
    if a >= bit then
      a = a - bit
      quotient, rest = quotient + whole, rest + part
      if rest >= c then
        quotient, rest = quotient + 1, rest - c
      end
    end
    if quotient > most then
      return most
    end
    bit = bit / 2
  end
  if rest > 0 then
    quotient = quotient + 1
  end
  return min(quotient, most)
end

-- V and last of a bucket in the scale of `ask`, nil if its own scale is none. Rounded up in volume and time,
-- so that a change of limits never gives tokens away.
local function converted(bucket, ask)
  local units, tick = string.match(bucket.scale, '^(%d+)/%d+/(%d+)$')
  units, tick = tonumber(units), tonumber(tick)
  if not units or units < 1 or units > MOST_UNITS or (tick ~= 1 and tick ~= 1000) then
    return nil
  end
  local last = ceil(bucket.last * tick / ask.tick)
  if last > EXACT then
    return nil
  end
  local ask_units = tonumber(string.match(ask.scale, '^%d+'))
  return scaled(bucket.consumed, ask_units, units, ask.most), last
end

-- What a key holds, as a bucket; an empty one if that is not a bucket.
local function bucket_of(value)
  if type(value) ~= 'string' or #value < 16 then
    return {}
  end
  local consumed, last = struct.unpack('>dd', value)
  -- What is not a number is in no range.
  local is_exact = consumed >= 0 and consumed <= EXACT and last >= 0 and last <= EXACT
  if not is_exact or consumed % 1 ~= 0 or last % 1 ~= 0 then
    return {}
  end
  return { consumed = consumed, last = last, scale = string.sub(value, 17) }
end

local asks = {}
for i = 2, #ARGV do
  local per_tick, tick, most, room, cost, correction, refuses = struct.unpack(ASKED, ARGV[i])
  asks[i - 1] = {
    per_tick = per_tick, tick = tick, most = most, room = room, cost = cost, correction = correction,
    refuses = refuses == 1, scale = string.sub(ARGV[i], ASKED_BYTES + 1), present = floor(now / tick),
  }
end

local names, buckets = {}, {}
for i = 1, #KEYS do
  local name = KEYS[i]
  if not buckets[name] then
    buckets[name] = true
    names[#names + 1] = name
  end
end
local kept = redis.call('MGET', unpack(names))
for i = 1, #names do
  -- A key of another type is absent to MGET, and an error to GET.
  local value = kept[i] or redis.pcall('GET', names[i])
  if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE', 1, true) then
    return value
  end
  -- One that was never charged is counted in whatever scale it is asked in.
  buckets[names[i]] = value and bucket_of(value) or { consumed = 0, last = 0 }
end

local reply = {}

-- Decides over the limits that `plan` has after `at`, whose keys come after `key`.
local function decide(plan, at, key, limits)
  local first, is_refused = key * 3, false
  for i = 1, limits do
    local ask, bucket = asks[string.byte(plan, at + i)], buckets[KEYS[key + i]]
    local consumed, last = bucket.consumed, bucket.last
    if bucket.scale and bucket.scale ~= ask.scale then
      consumed, last = converted(bucket, ask)
    end
    if not consumed then
      for j = first + 1, first + limits * 3, 3 do
        reply[j], reply[j + 1], reply[j + 2] = NOT_A_BUCKET, 0, 0
      end
      return
    end
    -- A clock that steps back refills nothing.
    local tick = max(last, ask.present)
    -- The product may exceed 2^53 and be rounded, and is above every volume then.
    consumed = max(0, min(consumed, ask.most) - ask.per_tick * (tick - last))
    if ask.correction ~= 0 then
      consumed = min(ask.most, max(0, consumed + ask.correction))
    end
    local answer = HAS_ROOM
    if consumed > ask.room then
      answer = REFUSES
      is_refused = is_refused or ask.refuses
    end
    local j = first + i * 3
    reply[j - 2], reply[j - 1], reply[j] = answer, consumed, tick
  end

  for i = 1, limits do
    local ask, j = asks[string.byte(plan, at + i)], first + i * 3
    local is_changed = ask.correction ~= 0
    if reply[j - 2] == HAS_ROOM then
      if is_refused then
        reply[j - 2] = NOT_TAKEN
      elseif ask.cost > 0 then
        reply[j - 1], is_changed = reply[j - 1] + ask.cost, true
      end
    end
    if is_changed then
      local bucket = buckets[KEYS[key + i]]
      bucket.consumed, bucket.last, bucket.scale = reply[j - 1], reply[j], ask.scale
      bucket.changed_by = ask
    end
  end
end

local plan, at, key = ARGV[1], 1, 0
while at <= #plan do
  local limits = string.byte(plan, at)
  decide(plan, at, key, limits)
  at, key = at + 1 + limits, key + limits
end

for i = 1, #names do
  local bucket = buckets[names[i]]
  local ask = bucket.changed_by
  if ask then
    -- Whole milliseconds from here on: a rounding of the largest is made up for by the margin.
    local ticks = bucket.last - ask.present + ceil(bucket.consumed / ask.per_tick)
    redis.call(
      'SET', names[i], struct.pack('>ddc0', bucket.consumed, bucket.last, bucket.scale),
      'PX', ceil(ticks * ask.tick / 1000) + MARGIN_MILLIS
    )
  end
end
return struct.pack('>I8' .. string.rep('BI8I8', #KEYS), now, unpack(reply))
