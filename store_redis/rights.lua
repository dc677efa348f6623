#!lua flags=allow-oom
-- Tries each command of the scripts on a key that nothing else uses, and leaves nothing
-- there. ARGV: when the key expires if it cannot be removed. Returns the refused commands
-- with the server's errors.
local key, refused = KEYS[1], {}
for _, command in ipairs({
  {'TIME'}, {'HSET', key, 'x', '1'}, {'PEXPIREAT', key, ARGV[1]}, {'PTTL', key}, {'HMGET', key, 'x'}, {'HGETALL', key}, {'HDEL', key, 'x'},
}) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then refused[#refused + 1] = command[1] .. ': ' .. reply.err end
end
return refused
