-- When an order was last carried out and by whom; what was taken back; rates that were changed; and
-- why limits of treatment ended, asked for by one person and confirmed by another.
alter table native_order
    add column done_at timestamptz,                      -- when it was last carried out, as told
    add column done_by text not null default '',
    add column done_version int not null default 0,      -- the act that can be taken back; 0: none
    add column undone int not null default 0 check (undone >= 0);  -- occurrences that do not count
alter table order_event
    add column done_at timestamptz,                      -- null: the moment of the act
    add column undoes int,                               -- the version that was taken back
    add column changed jsonb not null default '{}';      -- {"before", "after"} of a rate or a goal

update native_order o
   set done_at = e.at, done_by = e.actor, done_version = e.version
  from (select distinct on (order_id) order_id, at, actor, version from order_event
         where act = 'complete' order by order_id, version desc) e
 where e.order_id = o.order_id;

alter table care_agreement
    add column end_reason text not null default '',
    add column end_asked_by text,                        -- who asks that it ends; another confirms
    add column end_asked_at timestamptz;
