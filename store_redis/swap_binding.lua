#!lua
-- SwapBinding. Without allow-oom Redis refuses the script before it writes anything if
-- memory is full, because a binding takes memory and its absence ends no session.
-- ARGV: session ID, old binding, next binding.
-- Returns 1 if the session's binding is the next one now, 2 if it is neither, 0 if there is
-- no such session, 3 if the session has expired, 4 if its user is disabled, 5 if its token
-- is too old.
local id, old, next = ARGV[1], ARGV[2], ARGV[3]
local now = clock()
local h = redis.call('HMGET', key, 'f', 's' .. id, 't' .. id, 'b' .. id, 'a')
if not (h[1] and h[2]) then return 0 end
if string.sub(h[1], 1, 1) ~= 'e' then return 4 end
local created, abs, idle = session(h[2])
if not created then return 3 end
if now >= abs or now >= tonumber(h[3] or created) + idle then return 3 end
if h[5] and issued(h[2]) <= tonumber(h[5]) then return 5 end
local binding = h[4] or ''
if binding == next then
  rewrite()
  return 1
end
if binding ~= old then return 2 end
if next == '' then
  redis.call('HDEL', key, 'b' .. id)
else
  redis.call('HSET', key, 'b' .. id, next)
end
return 1
