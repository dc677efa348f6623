#!lua flags=allow-oom
-- CheckSession. It mostly reads, but is declared as a writer: then a replica and a
-- primary that has lost its replicas refuse it, and no client cache answers it.
-- It runs with every request, so it does without shared.lua, whose functions Lua would
-- make anew each time, and leaves to Go what Go finds out of the answer: whether the
-- session has expired, and the user if it knows this one's record.
-- ARGV: ID, touchAfter, `f` of the record that Go knows or ''. Returns '0' unknown, '2'
-- disabled; or '3', '4' if this use was recorded, and behind it "last use, seconds,
-- microseconds, session"; in a list with `f` and `p` if Go knows another record.
local id, known, t, h = ARGV[1], ARGV[3], redis.call('TIME')
if known == '' then
  h = redis.call('HMGET', KEYS[1], 'f', 's' .. id, 't' .. id, 'p')
else
  h = redis.call('HMGET', KEYS[1], 'f', 's' .. id, 't' .. id)
end
local f, session, record = h[1], h[2], h[4]
if not (f and session) then return '0' end
local last = h[3] or string.match(session, '^%d+')
if not last then return '0' end
if record or f ~= known then
  if string.sub(f, 1, 1) ~= 'e' then return '2' end
  record = record or redis.call('HMGET', KEYS[1], 'p')[1]
  if not record then return '0' end
end
local verdict, age = '3', t[1] * 1000 + t[2] / 1000 - last
if age >= ARGV[2] + 0 then
  local function text(n) return string.format('%.0f', n) end
  local now = last + math.floor(age)
  -- A touch would revive what has been idle for too long.
  local abs, idle = string.match(session, '^%d+ (%d+) (%d+) ')
  if abs and now < tonumber(abs) and age < tonumber(idle) then
    -- One that fails, because memory is full, does not fail the check.
    local written = redis.pcall('HSET', KEYS[1], 't' .. id, text(now))
    if type(written) == 'number' then
      last, verdict = text(now), '4'
      local ends = math.min(abs, now + idle)
      if redis.call('PTTL', KEYS[1]) < ends - now then redis.pcall('PEXPIREAT', KEYS[1], text(ends)) end
    end
  end
end
local answer = verdict .. last .. ' ' .. t[1] .. ' ' .. t[2] .. ' ' .. session
return record and {answer, f, record} or answer
