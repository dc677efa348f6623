#!lua flags=allow-oom
-- One step of AllSessions. It is declared as a writer for the reasons given in check.lua,
-- because SCAN on a replica would leave out what the replica has not received.
-- ARGV: cursor, pattern, how many keys to visit, ID of the server's run that returned the
-- cursor or ''. Redis orders keys by a secret that each run draws anew, so a cursor of
-- another run means the beginning.
-- Returns {next cursor, ID of this run or '', 'cluster' or another mode, {key, ...}}. If the
-- Redis user may not send INFO, both texts are ''.
local info = redis.pcall('INFO', 'server')
if type(info) ~= 'string' then info = '' end
local run = string.sub(string.match(info, 'run_id:(%x+)') or '', 1, 16)
local mode = string.match(info, 'redis_mode:(%a+)') or ''
local cursor = ARGV[1]
if run ~= ARGV[4] then cursor = '0' end
local page = redis.call('SCAN', cursor, 'MATCH', ARGV[2], 'COUNT', ARGV[3], 'TYPE', 'hash')
return {page[1], run, mode, page[2]}
