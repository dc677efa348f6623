#!lua flags=allow-oom
-- PutUser. ARGV: user ID, flags, version, User record, SignInWindow. Returns 0 not
-- newer, 1 applied, 2 tag of another user.
local user, flags, version, record, window = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local now = clock()
local h = redis.call('HMGET', key, 'u', 'v')
if h[1] and h[1] ~= user then return 2 end
local applied = 0
if not h[2] or tonumber(h[2]) < tonumber(version) then
  -- Sessions first: a failure in between must leave none to a disabled user.
  if string.sub(flags, 1, 1) == 'd' then finish(now) end
  redis.call('HSET', key, 'u', user, 'f', flags, 'v', version, 'p', record)
  applied = 1
else
  rewrite()
end
lengthen(now, now + window)
return applied
