#!lua flags=allow-oom
-- Sessions. A declared writer like check. Returns {now, {field, value, ...}}.
return {text(clock()), redis.call('HGETALL', key)}
