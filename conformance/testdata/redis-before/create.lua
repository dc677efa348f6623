#!lua
-- CreateSession. Refused when memory is full, before anything is written.
-- ARGV: user ID, flags, version, User record, ID, lifetime, idle, SignInWindow, how many
-- sessions may live, 1 to refuse one more instead of making room, the ID that is
-- replaced or empty, device. Returns {0} ID in use, {1} tag of another user, {2}
-- disabled, {3} too many, or {9, User record, now, abs}.
local user, flags, version, record, id = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local lifetime, idle, window = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local limit, refuse, replaced, device = tonumber(ARGV[9]), ARGV[10] == '1', ARGV[11], ARGV[12]
local now = clock()
local h = redis.call('HMGET', key, 'u', 'f', 'v', 'p', 's' .. id)
if h[1] and h[1] ~= user then return {1} end
if h[5] then return {0} end
if not h[3] or tonumber(h[3]) < tonumber(version) then
  if string.sub(flags, 1, 1) == 'd' then finish(now) end
  redis.call('HSET', key, 'u', user, 'f', flags, 'v', version, 'p', record)
else
  flags, record = h[2], h[4]
end
if string.sub(flags, 1, 1) ~= 'e' then
  lengthen(now, now + window)
  return {2}
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
  return {3}
end
table.sort(live, function(a, b) return a.seen < b.seen or a.seen == b.seen and a.id < b.id end)
for i = 1, #live - limit + 1 do remove(live[i].id) end
local abs = now + lifetime
local written = text(now) .. ' ' .. text(abs) .. ' ' .. text(idle) .. ' ' .. device
redis.call('HSET', key, 's' .. id, written, 't' .. id, text(now))
lengthen(now, math.min(abs, now + idle))
return {9, record, text(now), text(abs)}
