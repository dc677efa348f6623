#!lua flags=allow-oom
-- CheckSession. It mostly reads, but is declared as a writer: then a replica and a
-- primary that has lost its replicas refuse it, and no client cache answers it.
-- ARGV: ID, touchAfter. Returns {0} unknown, {1} expired, {2} disabled, or
-- {9, User record, session without device, last use, whether that is this one}.
local id, after = ARGV[1], tonumber(ARGV[2])
local now = clock()
local h = redis.call('HMGET', key, 'f', 'p', 's' .. id, 't' .. id)
local created, abs, idle = session(h[3])
if not (h[1] and h[2] and created) then return {0} end
local seen = tonumber(h[4] or created)
if not seen then return {0} end
-- A clock that steps back does not prolong a session.
now = math.max(now, seen)
if now >= abs or now >= seen + idle then return {1} end
if string.sub(h[1], 1, 1) ~= 'e' then return {2} end
local touched = 0
if now - seen >= after then
  -- A touch that fails, because memory is full, does not fail the check.
  local written = redis.pcall('HSET', key, 't' .. id, text(now))
  if type(written) == 'number' then
    seen, touched = now, 1
    local ends = math.min(abs, now + idle)
    if redis.call('PTTL', key) < ends - now then redis.pcall('PEXPIREAT', key, text(ends)) end
  end
end
return {9, h[2], string.match(h[3], '^%d+ %d+ %d+ '), text(seen), touched}
