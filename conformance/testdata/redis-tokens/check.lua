#!lua flags=allow-oom
-- CheckSession. The arguments and the answer are described in check.go, the fields of the
-- hash in shared.lua.
-- The script mostly reads, but it is declared as a writer, because a replica and a
-- primary that has lost its replicas then refuse it, and no client cache answers it.
-- It runs with every request. So it does not use shared.lua, whose functions Lua would
-- create anew each time, and it leaves to Go whether the session has expired.
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
  -- A session that has expired is not touched, because that would revive it.
  local abs, idle = string.match(session, '^%d+ (%d+) (%d+) ')
  if abs and now < tonumber(abs) and age < tonumber(idle) then
    -- A replica that accepts writes must not answer (shared.lua). Asking for the role in
    -- every check would take too long.
    local info = redis.pcall('INFO', 'replication')
    local role = type(info) == 'string' and string.match(info, 'role:(%a+)')
    if role and role ~= 'master' then return 'replica' end
    -- The check succeeds even if the touch fails.
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
