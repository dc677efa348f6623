-- Shared by all scripts. KEYS[1] is the hash of one user:
--   u      user ID
--   f      'e' or 'd': enabled, disabled; then 'a' or '-': administrator; then a hash
--          of the User record
--   v      version of the User record, decimal
--   p      the User record, for Go only
--   s<ID>  "created abs idle device" of a session: it lives only while this is there;
--          the device is for Go only
--   t<ID>  its last recorded use
-- Times are milliseconds of this server's clock.
local key = KEYS[1]

-- tostring and .. keep 14 digits only.
local function text(n) return string.format('%.0f', n) end

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- session returns created, abs, idle; nothing for what is not a session.
local function session(record)
  if not record then return end
  local created, abs, idle = string.match(record, '^(%d+) (%d+) (%d+) ')
  if created then return tonumber(created), tonumber(abs), tonumber(idle) end
end

-- sessions returns all sessions of the hash, each with ID, seen and whether it is live.
local function sessions(now)
  local fields, all, last = redis.call('HGETALL', key), {}, {}
  for i = 1, #fields, 2 do
    if #fields[i] == 33 and string.sub(fields[i], 1, 1) == 't' then
      last[string.sub(fields[i], 2)] = tonumber(fields[i + 1])
    end
  end
  for i = 1, #fields, 2 do
    if #fields[i] == 33 and string.sub(fields[i], 1, 1) == 's' then
      local id = string.sub(fields[i], 2)
      local created, abs, idle = session(fields[i + 1])
      local seen = last[id] or created
      all[#all + 1] = {id = id, seen = seen, live = created and now < abs and now < seen + idle}
    end
  end
  return all
end

local function remove(id)
  return redis.call('HDEL', key, 's' .. id, 't' .. id)
end

-- finish ends all sessions but one and returns how many were live.
local function finish(now, keep)
  local n = 0
  for _, s in ipairs(sessions(now)) do
    if s.id ~= keep then
      remove(s.id)
      if s.live then n = n + 1 end
    end
  end
  return n
end

-- lengthen keeps the hash until then, or longer if it was to be kept longer.
local function lengthen(now, till)
  if redis.call('PTTL', key) < till - now then redis.call('PEXPIREAT', key, text(till)) end
end

-- rewrite changes nothing, as a write: WAIT then waits for what an earlier call
-- wrote on another connection.
local function rewrite()
  local f = redis.call('HMGET', key, 'f')[1]
  if f then redis.call('HSET', key, 'f', f) end
end

