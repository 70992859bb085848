-- What could not go along with a patient to another unit is tried again until it has, and says at
-- the bed that it has not; and beds say what waits in the archive for somebody to decide.

-- The record of a stay that stayed behind: orders, own limits, agreements, relatives, the clock of
-- sepsis. The stay itself went on (stay_follow).
create table left_behind (
    behind bigint generated always as identity primary key,
    hospital_id text not null references hospital,
    unit text not null,              -- that was left
    from_stay uuid not null references stay,
    to_stay uuid not null,           -- the stay that was entered; the patient may have gone on
    patient_id uuid not null,
    event text not null,             -- A02, A12 ...
    source text not null,
    at timestamptz not null,         -- of the move
    failed_at timestamptz not null,
    tried_at timestamptz not null,
    tries int not null default 1,
    code text not null,              -- SQLSTATE of the last failure
    done_at timestamptz,
    unique (from_stay, at)
);
create index left_behind_open on left_behind (tried_at) where done_at is null;
alter table left_behind enable row level security;
alter table left_behind force row level security;
create policy owner_all on left_behind to owner using (true) with check (true);
create policy app_scope on left_behind for select to app
    using (in_hospital(hospital_id) and in_unit(unit));
create policy app_lies_here on left_behind for select to app
    using (in_hospital(hospital_id) and patient_id in (
           select s.patient_id from stay s where s.ended_at is null));
grant select on left_behind to app;

-- Hangs everything that goes along on another stay of the same patient, in time or later.
create or replace function stay_take_along(left_stay stay, entered stay, at timestamptz, by text)
    returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
    carried int;
begin
    update contact c set stay = entered.stay, unit = entered.unit where c.stay = left_stay.stay;
    update relative_step t set unit = entered.unit from relative_message m
     where m.message = t.message and m.stay = left_stay.stay;
    update relative_message m set stay = entered.stay, unit = entered.unit
     where m.stay = left_stay.stay;
    update relative_inbox i set unit = entered.unit from contact c
     where c.contact = i.contact and c.stay = entered.stay;
    -- Of two that were agreed on, there and here, the newer saying holds, once it is in force.
    update care_agreement a set state = 'ended', ended_by = stay_take_along.by,
           ended_at = stay_take_along.at, version = a.version + 1
     where a.state in ('proposed', 'in_force') and exists (
           select from care_agreement n
            where (a.stay, n.stay) in ((left_stay.stay, entered.stay),
                                       (entered.stay, left_stay.stay))
              and n.kind = a.kind and n.proposed_at > a.proposed_at
              and (n.state = 'in_force' or (n.state, a.state) = ('proposed', 'proposed')));
    update care_agreement a set stay = entered.stay, unit = entered.unit
     where a.stay = left_stay.stay;
    update sepsis_done d set unit = entered.unit from sepsis_clock k
     where k.clock = d.clock and k.stay = left_stay.stay;
    update sepsis_clock k set stay = entered.stay, unit = entered.unit
     where k.stay = left_stay.stay;
    update transfer t set stay = entered.stay, unit = entered.unit, bed = entered.bed
     where t.stay = left_stay.stay and t.state in ('asked', 'accepted', 'left');
    -- Own limits of an earlier stay there end; one that was set there since the move is newer than
    -- what comes along. The others go along with their history, numbered after every act that there
    -- was on the same limit: no later change is an older one.
    if left_stay.unit <> entered.unit then
        update unit_limit l set undone_by = stay_take_along.by, undone_at = stay_take_along.at,
               undo_reason = 'another stay'
         where l.unit = entered.unit and l.patient_id = left_stay.patient_id::text
           and l.undone_at is null
           and l.approved_at < least(stay_take_along.at, entered.admitted_at);
        update unit_limit l set undone_by = stay_take_along.by, undone_at = stay_take_along.at,
               undo_reason = 'a newer one holds'
         where l.unit = left_stay.unit and l.patient_id = left_stay.patient_id::text
           and l.undone_at is null and exists (
               select from unit_limit e
                where e.unit = entered.unit and e.patient_id = l.patient_id
                  and (e.rule, e.code, e.band) = (l.rule, l.code, l.band)
                  and e.undone_at is null and e.approved_at > l.approved_at);
        update unit_limit l set unit = entered.unit, version = l.version + (
               select greatest(count(*) + count(e.undone_at), coalesce(max(e.version), 0))
                 from unit_limit e where e.unit = entered.unit and e.patient_id = l.patient_id
                  and (e.rule, e.code, e.band) = (l.rule, l.code, l.band))
         where l.unit = left_stay.unit and l.patient_id = left_stay.patient_id::text;
    end if;
    with going as (
        update native_order o set unit = entered.unit, version = version + 1,
               bed = coalesce((select b.bed from bed b where b.bed = entered.bed), o.bed),
               carried_from = case when o.carried_from = entered.unit or placed.here then ''
                                   else left_stay.unit end,
               carried_at = stay_take_along.at,
               reviewed_by = null, reviewed_at = null,
               changed_by = stay_take_along.by
          from (select p.order_id, e.unit = entered.unit as here from native_order p
                  join order_event e on e.order_id = p.order_id and e.version = 1
                 where p.patient_id = left_stay.patient_id) placed
         where o.hospital_id = left_stay.hospital_id and o.unit = left_stay.unit
           and o.patient_id = left_stay.patient_id and placed.order_id = o.order_id
           and (o.request in ('draft', 'active', 'on-hold'))
        returning o.*)
    insert into order_event (order_id, version, hospital_id, unit, act, request, task, actor, at,
                             reason, occurrence, due_at)
    select g.order_id, g.version, g.hospital_id, g.unit, 'carry', g.request, g.task,
           stay_take_along.by, stay_take_along.at, left_stay.unit, g.occurrence, g.due_at
      from going g;
    get diagnostics carried = row_count;
    return carried;
end $$;

-- Follows one event of the archive. What somebody did here has made its stay already: its entries
-- find it as it is.
create or replace function stay_follow(event patient_event) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    open_stay stay;
    former uuid;
    failed text := '';
    fresh uuid;
    place text := coalesce((select b.unit from bed b where b.bed = event.bed), event.unit);
begin
    select * into open_stay from stay s where s.hospital_id = event.hospital_id
        and s.patient_id = event.patient_id and s.ended_at is null for no key update;
    if open_stay.stay is not null and event.event_at < open_stay.moved_at then
        return;  -- late news about an earlier time
    end if;
    if event.trigger in ('A03', 'A11') then
        if open_stay.stay is not null then
            perform stay_end(open_stay.stay, event.event_at,
                             case event.trigger when 'A03' then 'discharge' else 'cancelled' end);
        end if;
        return;
    end if;
    if event.trigger not in ('A01', 'A02', 'A12', 'A13')
        or not exists (select from unit u where u.unit = place) then
        return;
    end if;
    if event.trigger in ('A02', 'A12') and event.bed = '' then
        -- Somebody left the unit; where to is told by an entry of its own, before or after this.
        if event.trigger = 'A02' and open_stay.unit = event.unit
            and open_stay.bed = event.prior_bed then
            perform stay_end(open_stay.stay, event.event_at, 'transfer');
        end if;
        return;
    end if;
    if open_stay.stay is not null and open_stay.unit = place then
        update stay s set bed = event.bed, moved_at = event.event_at where s.stay = open_stay.stay;
        return;
    end if;
    if open_stay.stay is null and event.trigger in ('A02', 'A12') then
        select * into open_stay from stay s where s.hospital_id = event.hospital_id
           and s.patient_id = event.patient_id and s.end_reason = 'transfer'
           and s.ended_at = event.event_at and s.unit <> place for no key update;
    end if;
    if open_stay.stay is not null and event.trigger = 'A12' then
        select s.stay into former from stay s where s.hospital_id = event.hospital_id
           and s.patient_id = event.patient_id and s.unit = place and s.end_reason = 'transfer'
           and s.ended_at = open_stay.admitted_at;
    end if;
    if open_stay.stay is not null and event.trigger <> 'A01' then
        begin
            if former is not null then
                perform stay_transfer_back(open_stay.stay, former, event.bed, event.event_at,
                                           event.source);
            else
                perform stay_transfer(open_stay.stay, place, event.bed, event.event_at,
                                      event.source);
            end if;
            return;
        exception when integrity_constraint_violation or data_exception
            or syntax_error_or_access_rule_violation or program_limit_exceeded or plpgsql_error then
            -- Where the patient lies is true whatever could not go along: it stays where it was.
            perform audit_append(event.unit, event.hospital_id, event.received_at, 'system',
                'system', 'take_along_failed', open_stay.stay::text,
                event.trigger || ' from ' || open_stay.unit || ': ' || sqlstate);
            failed := sqlstate;
        end;
    end if;
    if open_stay.stay is not null then
        perform stay_end(open_stay.stay, event.event_at, 'transfer');
    end if;
    if exists (select from stay s where s.hospital_id = event.hospital_id
               and s.patient_id = event.patient_id and s.ended_at > event.event_at) then
        return;  -- an admission from before the last end
    end if;
    fresh := md5(event.hospital_id || event.patient_id || place || event.event_at)::uuid;
    insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at,
                      treatment_limited, hold_reason)
    values (fresh, event.hospital_id, place, event.bed, event.patient_id, event.mode,
            event.event_at, event.event_at, failed <> '' and open_stay.treatment_limited,
            case when failed = '' then '' when open_stay.hold_reason <> '' then open_stay.hold_reason
                 when exists (select from contact c where c.stay = open_stay.stay
                                 and c.withdrawn_at is null) then 'transfer' else '' end)
        on conflict do nothing;
    if failed <> '' then
        insert into left_behind (hospital_id, unit, from_stay, to_stay, patient_id, event, source,
                                 at, failed_at, tried_at, code)
        values (event.hospital_id, open_stay.unit, open_stay.stay, fresh, event.patient_id, event.trigger,
                event.source, event.event_at, event.received_at, event.received_at, failed)
            on conflict do nothing;
    end if;
end $$;

-- Where the record of a patient who changed unit belongs now: with the patient, or with the stay
-- that ended since. Nobody is anywhere for a moment between the two entries of a move.
create function left_behind_home(one left_behind, now_at timestamptz) returns stay
    language sql stable security definer set search_path = public, pg_temp as $$
    select s from stay s
     where s.hospital_id = one.hospital_id and s.patient_id = one.patient_id
       and (s.ended_at is null
            or s.ended_at >= one.at and s.end_reason in ('discharge', 'death')
            or s.ended_at < now_at - interval '1 hour')
     order by s.ended_at >= one.at and s.end_reason in ('discharge', 'death') desc nulls last,
              case when s.ended_at >= one.at and s.end_reason in ('discharge', 'death')
                   then s.ended_at end,
              s.ended_at desc nulls first
     limit 1
$$;

-- Tries again what is due: after 5, 10, 20 s ... at most ten minutes. Each once: what went along
-- has gone. Answers each that was tried, with the code of its failure or empty.
create function left_behind_again(now_at timestamptz, most int)
    returns table (number bigint, failed text, since timestamptz)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    one left_behind;
    home stay;
    old stay;
    family boolean;
begin
    for one in select * from left_behind b
                where b.done_at is null and b.tried_at
                      <= now_at - make_interval(secs => least(2.5 * 2 ^ least(b.tries, 8), 600))
                order by b.tried_at limit most for update skip locked
    loop
        home := left_behind_home(one, now_at);
        continue when home.stay is null;
        number := one.behind;
        since := one.failed_at;
        failed := '';
        begin
            select * into home from stay s where s.stay = home.stay for no key update;
            select * into old from stay s where s.stay = one.from_stay;
            if home.stay <> old.stay then
                family := exists (select from contact c
                                   where c.stay = old.stay and c.withdrawn_at is null);
                perform stay_take_along(old, home, one.at, one.source);
                update stay s set treatment_limited = s.treatment_limited or old.treatment_limited,
                       hold_reason = case when s.hold_reason = '' and family then 'transfer'
                                          else s.hold_reason end, version = s.version + 1
                 where s.stay = home.stay;
            end if;
            update left_behind b set done_at = now_at, tried_at = now_at, tries = b.tries + 1,
                   code = '' where b.behind = one.behind;
            perform audit_append(home.unit, one.hospital_id, now_at, 'system', 'system',
                'take_along_done', home.stay::text,
                one.event || ' from ' || old.unit || ', tries: ' || one.tries + 1);
        exception when integrity_constraint_violation or data_exception
            or syntax_error_or_access_rule_violation or program_limit_exceeded or plpgsql_error then
            failed := sqlstate;
            update left_behind b set tried_at = now_at, tries = b.tries + 1, code = failed
             where b.behind = one.behind;
        end;
        return next;
    end loop;
end $$;

-- What of the archive waits at a bed, as its board was last told.
create table bed_waits (
    bed text primary key,
    hospital_id text not null references hospital,
    unit text not null,
    refilings int not null,          -- proposed, and nobody has decided
    left_behind int not null,        -- records of its patient that could not come along yet
    told_at timestamptz not null
);
alter table bed_waits enable row level security;
alter table bed_waits force row level security;
create policy owner_all on bed_waits to owner using (true) with check (true);
create policy app_scope on bed_waits for select to app
    using (in_hospital(hospital_id) and in_unit(unit));
grant select on bed_waits to app;
grant select, insert, update on bed_waits to writer;

create index refiling_open on refiling (place)
    where proposed and decided_at is null and reversed_at is null;

-- The beds that are to be told something else than they were.
create function bed_waits_now()
    returns table (bed text, hospital_id text, unit text, refilings int, left_behind int)
    language sql stable security definer set search_path = public, pg_temp as $$
    with open as (
        select r.place as bed, r.hospital_id, r.unit, 1 as refilings, 0 as behind from refiling r
         where r.proposed and r.decided_at is null and r.reversed_at is null
           and exists (select from measurement m where m.place = r.place
                          and m.determined_at >= r.from_at
                          and m.determined_at < least(r.to_at, r.told_at)
                          and m.patient_id is distinct from r.patient_id)
        union all
        select s.bed, s.hospital_id, s.unit, 0, 1 from left_behind b
          join stay s on s.hospital_id = b.hospital_id and s.patient_id = b.patient_id
                     and s.ended_at is null and s.bed <> ''
         where b.done_at is null),
    counted as (
        select o.bed, max(o.hospital_id) as hospital_id, max(o.unit) as unit,
               sum(o.refilings)::int as refilings, sum(o.behind)::int as behind
          from open o group by o.bed)
    select coalesce(c.bed, w.bed), coalesce(c.hospital_id, w.hospital_id),
           coalesce(c.unit, w.unit), coalesce(c.refilings, 0), coalesce(c.behind, 0)
      from counted c full join bed_waits w on w.bed = c.bed
     where (coalesce(c.refilings, 0), coalesce(c.behind, 0))
        is distinct from (coalesce(w.refilings, 0), coalesce(w.left_behind, 0))
$$;

revoke execute on function left_behind_home(left_behind, timestamptz),
    left_behind_again(timestamptz, int), bed_waits_now() from public;
grant execute on function left_behind_again(timestamptz, int), bed_waits_now() to writer;
