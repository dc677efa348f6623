#!lua flags=allow-oom
-- CheckSession. It mostly reads, but is declared as a writer: then a replica and a
-- primary that has lost its replicas refuse it, and no client cache answers it.
-- It runs with every request, so it does without shared.lua, whose functions Lua would
-- make anew each time, formats only what it has changed, and answers with one string.
-- ARGV: ID, touchAfter. Returns '0' unknown, '1' expired, '2' disabled; or '3', '4' if
-- this use was recorded, and behind it "created abs idle last" and the User record.
local id, after = ARGV[1], tonumber(ARGV[2])
local key, t = KEYS[1], redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local h = redis.call('HMGET', key, 'f', 'p', 's' .. id, 't' .. id)
if not (h[1] and h[2] and h[3]) then return '0' end
local created, deadline, pause = string.match(h[3], '^(%d+) (%d+) (%d+) ')
local last = h[4] or created
local seen = tonumber(last)
if not (created and seen) then return '0' end
local abs, idle = tonumber(deadline), tonumber(pause)
-- A clock that steps back does not prolong a session.
now = math.max(now, seen)
if now >= abs or now >= seen + idle then return '1' end
if string.sub(h[1], 1, 1) ~= 'e' then return '2' end
local verdict = '3'
if now - seen >= after then
  local function text(n) return string.format('%.0f', n) end
  -- A touch that fails, because memory is full, does not fail the check.
  local written = redis.pcall('HSET', key, 't' .. id, text(now))
  if type(written) == 'number' then
    seen, verdict = now, '4'
    local ends = math.min(abs, now + idle)
    if redis.call('PTTL', key) < ends - now then redis.pcall('PEXPIREAT', key, text(ends)) end
  end
  last = text(seen)
end
return verdict .. created .. ' ' .. deadline .. ' ' .. pause .. ' ' .. last .. ' ' .. h[2]
