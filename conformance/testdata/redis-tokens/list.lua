#!lua flags=allow-oom
-- Sessions. It is declared as a writer for the reasons given in check.lua.
-- Returns {now, {field, value, ...}}.
return {text(clock()), redis.call('HGETALL', key)}
