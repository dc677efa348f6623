#!lua
-- CreateSession. Without allow-oom Redis refuses the script before it writes anything if
-- memory is full.
-- ARGV: the arguments of apply, session ID, issue time of the token or 0, lifetime, idle
-- timeout, SignInWindow, maximum of live sessions, 1 to refuse a session over the maximum
-- or 0 to end others for it, ID of the session that is replaced or '', device.
-- Returns {1} if the ID is in use, {2} if the hash is another user's, {3} if the user is
-- disabled, {4} if the token is too old, {5} if there are too many sessions, otherwise
-- {9, User record, now, abs}.
local user, id, token = ARGV[1], ARGV[6], tonumber(ARGV[7])
local lifetime, idle, window = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local limit, refuse, replaced, device = tonumber(ARGV[11]), ARGV[12] == '1', ARGV[13], ARGV[14]
local now = clock()
local h = redis.call('HMGET', key, 'u', 'f', 'v', 'p', 'a', 's' .. id)
if h[1] and h[1] ~= user then return {2} end
if h[6] then return {1} end
local flags, record, after = ARGV[2], ARGV[4], tonumber(ARGV[5])
if not apply(now, h[3], h[5]) then
  flags, record, after = h[2], h[4], tonumber(h[5] or 0)
end
if string.sub(flags, 1, 1) ~= 'e' then
  lengthen(now, now + window)
  return {3}
end
if after > 0 and token <= after then
  lengthen(now, now + window)
  return {4}
end
local live = {}
for _, s in ipairs(sessions(now)) do
  if not s.live then
    remove(s.id)
  elseif s.id ~= replaced then
    live[#live + 1] = s
  end
end
if refuse and #live >= limit then
  lengthen(now, now + window)
  return {5}
end
table.sort(live, function(a, b) return a.seen < b.seen or a.seen == b.seen and a.id < b.id end)
for i = 1, #live - limit + 1 do remove(live[i].id) end
local abs = now + lifetime
local written = text(now) .. ' ' .. text(abs) .. ' ' .. text(idle) .. ' ' .. device
if token > 0 then written = written .. '\30' .. text(now - token) end
redis.call('HSET', key, 's' .. id, written, 't' .. id, text(now))
lengthen(now, math.min(abs, now + idle))
return {9, record, text(now), text(abs)}
