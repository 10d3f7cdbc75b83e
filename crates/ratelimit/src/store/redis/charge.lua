-- Decides one charge over its buckets and carries it out: all of it, or nothing.
--
-- A script runs by itself, so nothing comes between what is read here and what is written.
-- The same decision in Rust, step for step: `Charge::decide`, `Bucket::at` and `Level::charge_more`.
--
-- Numbers are doubles here. A `Limit` keeps `2 * (burst + debt) * P` below 2^53, times are microseconds
-- or milliseconds (below 2^53 until the year 2255), and the few steps that could leave that range say
-- why they are right all the same. A quotient of two such integers never rounds across an integer, so
-- `floor(a / b)` and `ceil(a / b)` are exact.
--
-- KEYS: a bucket for each limit, all in one slot. ARGV: eight for each limit, in the same order:
--   1  scale "P/L/tick": units a token, units that drain a tick, microseconds a tick
--   2  L, as in the scale
--   3  tick, as in the scale
--   4  the most units that the bucket may hold, debt included
--   5  the most units that may be consumed for the charge to have room; -1: it never has
--   6  units to take
--   7  units by which to correct the bucket first, below zero to give them back
--   8  1 if the limit refuses, 0 if it is a shadow
--
-- A bucket is kept as two doubles, high bytes first, and a text: the units consumed (V), the tick up to
-- which they have drained (last), and the scale that both are counted in. Doubles, since numbers are
-- nothing else here, and reading and writing them as text took over a quarter of the script's time.
--
-- Reply: the server's time in microseconds; then for each limit its answer (1 has room, 2 has room and
-- was not taken, 3 refuses), V and last after the decision, in the scale of the limit.

local ARGUMENTS = 8
local HAS_ROOM, NOT_TAKEN, REFUSES = 1, 2, 3
-- A key outlives its bucket by this, so that a clock that steps back by less, such as that of a replica
-- that takes over, finds nothing forgotten.
local MARGIN_MILLIS = 10000
local EXACT, MOST_UNITS = 9007199254740991, 4503599627370496

local time = redis.call('TIME') -- the clock
local now = time[1] * 1000000 + time[2]

local NOT_A_BUCKET = { err = 'NOTABUCKET a key of the rate limits holds something else' }

-- ceil(a * b / c) or `most`, whichever is less, for integers below 2^52: by long multiplication and
-- division, because the product may need 104 bits. The quotient so far only ever grows.
local function scaled(a, b, c, most)
  local whole, part = math.floor(b / c), b % c
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
  return math.min(quotient, most)
end

local reply, is_refused = { now }, false
for i = 1, #KEYS do
  local at = (i - 1) * ARGUMENTS
  local scale, per_tick, tick_micros = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local most, correction = tonumber(ARGV[at + 4]), ARGV[at + 7]

  local kept = redis.pcall('GET', KEYS[i])
  local consumed, last = 0, 0
  if kept then
    if type(kept) == 'table' then
      if string.find(kept.err, 'WRONGTYPE', 1, true) then
        return NOT_A_BUCKET
      end
      return kept
    end
    local kept_scale = string.sub(kept, 17)
    local is_changed = kept_scale ~= scale
    local units, kept_tick
    if is_changed then
      units, kept_tick = string.match(kept_scale, '^(%d+)/%d+/(%d+)$')
      units, kept_tick = tonumber(units), tonumber(kept_tick)
      if not units or units < 1 or units > MOST_UNITS or (kept_tick ~= 1 and kept_tick ~= 1000) then
        return NOT_A_BUCKET
      end
    end
    consumed, last = struct.unpack('>dd', kept)
    if is_changed then
      -- Rounded up in volume and time, so that a change of limits never gives tokens away.
      last = math.ceil(last * kept_tick / tick_micros)
    end
    -- What is not a number is in no range.
    local is_exact = consumed >= 0 and consumed <= EXACT and last >= 0 and last <= EXACT
    if not is_exact or consumed % 1 ~= 0 or last % 1 ~= 0 then
      return NOT_A_BUCKET
    end
    if is_changed then
      consumed = scaled(consumed, tonumber(string.match(scale, '^%d+')), units, most)
    end
  end

  -- A clock that steps back refills nothing.
  local tick = math.max(last, math.floor(now / tick_micros))
  -- The product may exceed 2^53 and be rounded, and is above every volume then.
  consumed = math.max(0, math.min(consumed, most) - per_tick * (tick - last))
  if correction ~= '0' then
    consumed = math.min(most, math.max(0, consumed + correction))
  end

  local answer = HAS_ROOM
  if consumed > tonumber(ARGV[at + 5]) then
    answer = REFUSES
    if ARGV[at + 8] == '1' then
      is_refused = true
    end
  end
  reply[i * 3 - 1], reply[i * 3], reply[i * 3 + 1] = answer, consumed, tick
end

for i = 1, #KEYS do
  local at = (i - 1) * ARGUMENTS
  local consumed, tick = reply[i * 3], reply[i * 3 + 1]
  local cost, is_changed = ARGV[at + 6], ARGV[at + 7] ~= '0'
  if reply[i * 3 - 1] == HAS_ROOM then
    if is_refused then
      reply[i * 3 - 1] = NOT_TAKEN
    elseif cost ~= '0' then
      consumed, is_changed = consumed + cost, true
      reply[i * 3] = consumed
    end
  end
  if is_changed then
    local scale, per_tick, tick_micros = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    -- Whole milliseconds from here on: a rounding of the largest is made up for by the margin.
    local ticks = tick - math.floor(now / tick_micros) + math.ceil(consumed / per_tick)
    redis.call(
      'SET', KEYS[i], struct.pack('>dd', consumed, tick) .. scale,
      'PX', math.ceil(ticks * tick_micros / 1000) + MARGIN_MILLIS
    )
  end
end
return reply
