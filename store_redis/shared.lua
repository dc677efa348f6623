-- This text stands in front of every script but check.lua.
-- KEYS[1] is the hash of one user, with these fields:
--   u      the user ID
--   f      'e' (enabled) or 'd' (disabled), then 'a' (administrator) or '-', then a digest
--          of the User record
--   v      the version of the User record, decimal
--   p      the User record, which only Go reads
--   a      TokensAfter of the User record; missing if that is zero
--   s<ID>  "created abs idle device" of a session, which has ended if the field is missing.
--          Members that begin with byte 30 may follow (session_record.go). The last is the
--          token's age at `created`, if the issue time of the token is known. Only Go reads
--          the device and the other members.
--   t<ID>  the last recorded use of that session
--   b<ID>  the Binding of that session; missing if it is "", and without meaning if the
--          session has ended
-- Times are milliseconds of this server's clock, except those of tokens, which are those of
-- Google's clock.
-- Scripts of an earlier version may run on the same hash. They know neither `a` nor byte
-- 30 nor `b<ID>`, and leave them alone.
local key = KEYS[1]

-- A replica that accepts writes would answer from outdated data and lose what is written
-- to it. If the Redis user may not send INFO, the server is taken for a master.
do
  local info = redis.pcall('INFO', 'replication')
  local role = type(info) == 'string' and string.match(info, 'role:(%a+)')
  if role and role ~= 'master' then return 'replica' end
end

-- text returns n with all its digits. tostring and .. keep only 14.
local function text(n) return string.format('%.0f', n) end

-- clock returns the server's time.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- session returns created, abs and idle, or nothing if record is not a session's.
local function session(record)
  if not record then return end
  local created, abs, idle = string.match(record, '^(%d+) (%d+) (%d+) ')
  if created then return tonumber(created), tonumber(abs), tonumber(idle) end
end

-- issued returns when the session's token was issued, or 0 if that is not known. A record
-- with a zero byte was written by an earlier version. Byte 30 is part of the user agent
-- there.
local function issued(record)
  if string.find(record, '\0', 1, true) then return 0 end
  local created, age = string.match(record, '^(%d+) .*\30(%-?%d+)$')
  return created and created - age or 0
end

-- sessions returns all sessions of the hash, each with its ID, its record, its last use
-- (seen) and whether it is live.
local function sessions(now)
  local fields, all, last = redis.call('HGETALL', key), {}, {}
  for i = 1, #fields, 2 do
    if #fields[i] == 33 and string.sub(fields[i], 1, 1) == 't' then
      last[string.sub(fields[i], 2)] = tonumber(fields[i + 1])
    end
  end
  for i = 1, #fields, 2 do
    if #fields[i] == 33 and string.sub(fields[i], 1, 1) == 's' then
      local id, record = string.sub(fields[i], 2), fields[i + 1]
      local created, abs, idle = session(record)
      local seen = last[id] or created
      all[#all + 1] = {id = id, record = record, seen = seen, live = created and now < abs and now < seen + idle}
    end
  end
  return all
end

-- remove ends the session with this ID.
local function remove(id)
  return redis.call('HDEL', key, 's' .. id, 't' .. id, 'b' .. id)
end

-- finish ends the sessions for which `ends` is true, and returns how many were live.
local function finish(now, ends)
  local n = 0
  for _, s in ipairs(sessions(now)) do
    if ends(s) then
      remove(s.id)
      if s.live then n = n + 1 end
    end
  end
  return n
end

-- apply stores the User in ARGV if it is newer than the stored version, and reports whether
-- it is. `after` is the stored TokensAfter. Sessions are ended first, so that a failure in
-- between leaves none that should have ended.
-- ARGV begins with user ID, flags, version, User record and TokensAfter.
local function apply(now, version, after)
  if version and tonumber(ARGV[3]) <= tonumber(version) then return false end
  local newAfter = tonumber(ARGV[5])
  if string.sub(ARGV[2], 1, 1) == 'd' then
    finish(now, function() return true end)
  elseif newAfter > tonumber(after or 0) then
    finish(now, function(s) return issued(s.record) <= newAfter end)
  end
  redis.call('HSET', key, 'u', ARGV[1], 'f', ARGV[2], 'v', ARGV[3], 'p', ARGV[4])
  if newAfter > 0 then
    redis.call('HSET', key, 'a', ARGV[5])
  elseif after then
    redis.call('HDEL', key, 'a')
  end
  return true
end

-- lengthen keeps the hash until `till`, or for longer if it was to be kept for longer.
local function lengthen(now, till)
  if redis.call('PTTL', key) < till - now then redis.call('PEXPIREAT', key, text(till)) end
end

-- rewrite writes a field with the value that it has. WAIT waits for the connection's last
-- write, so after rewrite it also waits for what an earlier call wrote on another
-- connection.
local function rewrite()
  local f = redis.call('HMGET', key, 'f')[1]
  if f then redis.call('HSET', key, 'f', f) end
end

