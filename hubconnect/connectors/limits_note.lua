-- Takes in what the answer to a call said of its budgets.
--
-- KEYS: a hash for each budget, as they were taken.
-- ARGV: now (ms; empty: the server's), caller, call, when it was given (ms),
--       calls of the told window, of these left, its span (ms), calls of the day, of these left
--       (each empty where the answer says nothing), index of the refused budget (empty: none),
--       wait asked for (ms), then for each budget: kind (told/window/day), span (ms), used, number
local FIELDS, FIRST = 4, 12
local MOST_OTHERS = 1000  -- no real window is wider
local LONGEST_BLOCK_MS = 60000  -- of a window, unless the system asks for more

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local member, given = ARGV[2] .. '|' .. ARGV[3], tonumber(ARGV[4])
local most, left, per = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local day_most, day_left = tonumber(ARGV[8]), tonumber(ARGV[9])
local refused, asked = tonumber(ARGV[10]), tonumber(ARGV[11])

-- Fill the window with the calls of others: what the system counts beyond what we sent.
local function note_others(base, span, used, number, is_refused)
  local ours = used + (tonumber(redis.call('HGET', base, 'number')) or number) - number
  if is_refused then ours = ours - 1 end
  local others = math.min(MOST_OTHERS, most - left - ours)
  for i = 1, others do
    redis.call('ZADD', base .. ':slots', now + span, '|' .. ARGV[3] .. '.' .. i)
  end
  if others > 0 then
    redis.call('HINCRBY', base, 'number', others)
    redis.call('PEXPIRE', base .. ':slots', math.ceil(span) + 2000)
  end
end

local function note_window(base, span, used, number, is_told, is_refused)
  local kept = redis.call('HMGET', base, 'most', 'per', 'block', 'strikes')
  if is_told and most then
    span = per or span
    if tonumber(kept[1]) ~= most or tonumber(kept[2]) ~= span then
      redis.call('HSET', base, 'most', most, 'per', span)
    end
  else
    span = tonumber(kept[2]) or span
  end
  local free = tonumber(redis.call('ZSCORE', base .. ':slots', member) or 0)
  if free > now + span then
    redis.call('ZADD', base .. ':slots', now + span, member)
  end
  if is_told and most and left then
    note_others(base, span, used, number, is_refused)
  end
  local block, strikes = tonumber(kept[3]) or 0, tonumber(kept[4]) or 0
  if given < block then
    return  -- sent before the last refusal: it says nothing new
  end
  if is_refused then
    local wait = math.max(asked, math.min(LONGEST_BLOCK_MS, asked * 2 ^ strikes))
    redis.call('HSET', base, 'block', now + wait, 'strikes', strikes + 1)
  elseif strikes > 0 then
    redis.call('HSET', base, 'strikes', 0)
  end
end

local function note_day(base, number, is_refused)
  local began = tonumber(redis.call('HGET', base, 'began'))
  if not began or given < began then
    return  -- of the day before
  end
  local since = tonumber(redis.call('HGET', base, 'number')) - number
  if day_most and day_left then
    redis.call('HSET', base, 'most', day_most, 'left', math.max(0, day_left - since), 'told', now)
  end
  if is_refused then
    redis.call('HSET', base, 'block', now + asked, 'probed', now)
  end
end

for i, base in ipairs(KEYS) do
  local at = FIRST + (i - 1) * FIELDS
  local kind, is_refused = ARGV[at], refused == i - 1
  local number = tonumber(ARGV[at + 3])
  if kind == 'day' then
    note_day(base, number, is_refused)
  else
    local span, used = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    note_window(base, span, used, number, kind == 'told', is_refused)
  end
end
return 1
