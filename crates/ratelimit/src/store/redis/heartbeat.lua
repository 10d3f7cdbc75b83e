-- Notes that a process is alive, forgets those that have not said so for long, and counts the rest.
--
-- KEYS: a sorted set of processes by when they were last heard from, in milliseconds of the server's time.
-- ARGV: the id of the process; how many milliseconds it counts without saying so again.
-- Reply: how many processes there are, and 1 if this one was none of them before, else 0.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is_new = redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {redis.call('ZCARD', KEYS[1]), is_new}
