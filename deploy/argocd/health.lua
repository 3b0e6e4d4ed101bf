-- How Argo CD sees a MultiCassandraCluster: resource.customizations.health.ringmaster.dev_MultiCassandraCluster in
-- argocd-cm. Only what Argo CD gives to scripts is used: no library but table.
local function health(status, message)
  return { status = status, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "It is being deleted.")
end
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Ringmaster has not seen this spec yet.")
end

local condition = {}
for _, each in ipairs(status.conditions) do
  condition[each.type] = each
end
local function is(name, value)
  return condition[name] ~= nil and condition[name].status == value
end

if is("Stalled", "True") then
  return health("Degraded", condition.Stalled.message)
end
if is("Reconciling", "True") then
  if condition.Reconciling.reason == "Paused" then
    return health("Suspended", condition.Reconciling.message)
  end
  if not is("Ready", "True") then
    return health("Progressing", condition.Reconciling.message)
  end
end
if is("Ready", "True") then
  -- Nodes that clean up, for hours perhaps, take nothing from the ring.
  return health("Healthy", condition.Ready.message)
end
return health("Progressing", condition.Ready ~= nil and condition.Ready.message or "Ringmaster has not said anything yet.")
