-- Takes one call from several budgets at once, or tells how long to wait.
--
-- A window is a sorted set of slots: a call's slot is free again one span after its answer (a
-- little later than the system's own count, which starts when the call arrives), so that calls
-- that overtake each other never exceed the limit. Who waits is listed for a moment; the one
-- whose flow has fewest slots is next.
--
-- KEYS: a hash for each budget.
-- ARGV: now (ms; empty: the server's), caller, its kind (flow/load/person), call, longest wait (ms), then for
--       each budget: kind (window/day), calls, span (ms), kept %, slow %, day's end in (ms)
-- Returns {"go", now, used, number, used, number, ...}
--      or {"wait", ms}
--      or {"stop", ms, index of the budget, reason, left, calls of the day}
local FIELDS, FIRST = 6, 6
local SLACK_MS = 2000         -- until its answer, a call is taken to have arrived at most so late
local WAITER_MS = 1500        -- who has not asked again after its wait is gone
local LONGEST_NAP_MS = 1000   -- must be the same as the caller's
local PACED_FROM = 20         -- windows of fewer calls are not spread
local PACE = 0.95             -- spread calls may catch up what was missed
local LONGEST_GAP_MS = 5000   -- of a day near its end: a run must still come through
local PROBE_MS = 5 * 60 * 1000  -- a day that stopped is asked again so often: limits can be raised
local YOUNG_MS = 23 * 3600 * 1000  -- with so much of it left, its counter may be yesterday's yet
local KEEP_MS = 2 * 24 * 3600 * 1000

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local caller, kind, call, patience = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])

-- Return how many of those who wait come before this caller.
local function rank_in(base)
  local found = redis.call('HGETALL', base .. ':waiting')
  local others, since = {}, now
  for i = 1, #found, 2 do
    local name, from, gone = string.match(found[i + 1], '^(.*)|(%d+)|(%d+)$')
    if tonumber(gone) < now then
      redis.call('HDEL', base .. ':waiting', found[i])
    elseif found[i] == call then
      since = tonumber(from)
    else
      table.insert(others, {name = name, since = tonumber(from), id = found[i]})
    end
  end
  if #others == 0 then
    return 0, since
  end
  local used = {}
  for _, member in ipairs(redis.call('ZRANGE', base .. ':slots', 0, -1)) do
    local name = string.match(member, '^(.*)|')
    used[name] = (used[name] or 0) + 1
  end
  table.insert(others, {name = caller, since = since, id = call})
  local function is_earlier(a, b)
    return a.since < b.since or (a.since == b.since and a.id < b.id)
  end
  table.sort(others, is_earlier)
  local mine
  for _, one in ipairs(others) do
    used[one.name] = (used[one.name] or 0) + 1
    one.turn = used[one.name]
    if one.id == call then mine = one end
  end
  local rank = 0
  for _, one in ipairs(others) do
    if one.turn < mine.turn or (one.turn == mine.turn and is_earlier(one, mine)) then
      rank = rank + 1
    end
  end
  return rank, since
end

local budgets = {}

local function look_at_window(one)
  local kept = redis.call('HMGET', one.base, 'most', 'per', 'block', 'last', 'strikes')
  local most = tonumber(kept[1]) or one.calls
  one.per = tonumber(kept[2]) or one.per
  most = math.max(1, math.floor(most * (100 - one.kept) / 100))
  local slots = one.base .. ':slots'
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  one.used = redis.call('ZCARD', slots)
  local rank
  rank, one.since = rank_in(one.base)
  local block = tonumber(kept[3]) or 0
  local wait = math.max(0, block - now)
  local gap = 0
  if most >= PACED_FROM and one.used * 2 >= most then gap = one.per / most * PACE end
  if (tonumber(kept[5]) or 0) > 0 then gap = math.max(gap, one.per / 10) end
  if gap > 0 then
    wait = math.max(wait, (tonumber(kept[4]) or 0) + gap * (rank + 1) - now)
  end
  local place = rank - (most - one.used)
  if place >= 0 then
    local slot = redis.call('ZRANGE', slots, place, place, 'WITHSCORES')
    wait = math.max(wait, slot[2] and tonumber(slot[2]) - now or one.per / most)
  end
  one.wait = wait
end

-- Return the answer that stops a caller, or nil for the one that asks how things stand.
local function stopped(one, till, reason)
  if now - one.probed >= PROBE_MS then
    one.is_probe = true
    return nil
  end
  local rest = till - now
  if rest > YOUNG_MS then rest = PROBE_MS end
  return {'stop', math.ceil(rest), one.index, reason, one.left or 0, one.most or 0}
end

local function look_at_day(one)
  local kept = redis.call('HMGET', one.base, 'ends', 'most', 'left', 'block', 'last', 'probed',
    'told')
  one.ends = tonumber(kept[1])
  if one.ends and now >= one.ends then
    redis.call('DEL', one.base)
    one.ends = nil
    return nil
  end
  one.most, one.left = tonumber(kept[2]), tonumber(kept[3])
  one.probed = math.max(tonumber(kept[6]) or 0, tonumber(kept[7]) or 0)
  local block = tonumber(kept[4]) or 0
  if block > now then
    return stopped(one, block, 'refused')
  end
  if not (one.ends and one.most and one.left) then
    return nil
  end
  local spare = one.left - math.floor(one.most * one.kept / 100)
  if spare <= 0 then
    return stopped(one, one.ends, 'kept')
  end
  if spare <= one.most * one.slow / 100 then
    if kind == 'load' then
      return stopped(one, one.ends, 'loads')
    elseif kind == 'person' then
      return nil
    end
    local gap = math.min(LONGEST_GAP_MS, (one.ends - now) / spare)
    local rank
    rank, one.since = rank_in(one.base)
    one.wait = math.max(0, (tonumber(kept[5]) or 0) + gap * (rank + 1) - now)
  end
  return nil
end

local wait = 0
for i, base in ipairs(KEYS) do
  local at = FIRST + (i - 1) * FIELDS
  local one = {
    base = base, index = i - 1, kind = ARGV[at], calls = tonumber(ARGV[at + 1]),
    per = tonumber(ARGV[at + 2]), kept = tonumber(ARGV[at + 3]), slow = tonumber(ARGV[at + 4]),
    ends_in = tonumber(ARGV[at + 5]), wait = 0,
  }
  budgets[i] = one
  if one.kind == 'window' then
    look_at_window(one)
  else
    local stop = look_at_day(one)
    if stop then return stop end
  end
  wait = math.max(wait, one.wait)
end

wait = math.ceil(wait)
if wait > patience then
  return {'wait', wait}
end
if wait > 0 then
  local gone = now + math.min(wait, LONGEST_NAP_MS) + WAITER_MS
  for _, one in ipairs(budgets) do
    if one.wait > 0 then
      local list = one.base .. ':waiting'
      redis.call('HSET', list, call, string.format('%s|%.0f|%.0f', caller, one.since, gone))
      redis.call('PEXPIRE', list, LONGEST_NAP_MS + 2 * WAITER_MS)
    end
  end
  return {'wait', wait}
end

local answer = {'go', now}
for _, one in ipairs(budgets) do
  redis.call('HSET', one.base, 'last', now)
  redis.call('HDEL', one.base .. ':waiting', call)
  local number = redis.call('HINCRBY', one.base, 'number', 1)
  if one.kind == 'window' then
    redis.call('ZADD', one.base .. ':slots', now + one.per + SLACK_MS, caller .. '|' .. call)
    redis.call('PEXPIRE', one.base .. ':slots', math.ceil(one.per) + 2 * SLACK_MS)
    redis.call('PEXPIRE', one.base, KEEP_MS)
  else
    if one.left then redis.call('HINCRBY', one.base, 'left', -1) end
    if one.is_probe then redis.call('HSET', one.base, 'probed', now) end
    if not one.ends then
      redis.call('HSET', one.base, 'ends', now + one.ends_in, 'began', now)
    end
    redis.call('PEXPIRE', one.base, KEEP_MS)
  end
  table.insert(answer, (one.used or 0) + 1)
  table.insert(answer, number)
end
return answer
