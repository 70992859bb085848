-- A patient who goes to another unit of the same house takes the whole record of the stay along:
-- open orders, own limits, what was agreed on, the clock of sepsis, relatives and their messages.

-- Orders that came along wait for a physician of the unit to have looked at them.
alter table native_order
    add column carried_from text not null default '',    -- unit; empty: placed here, or looked at
    add column carried_at timestamptz,
    add column reviewed_by text,
    add column reviewed_at timestamptz;

-- What was ordered and what was signed is read where the patient lies now, and changed only where
-- it belongs (stay is read within the scope of whoever asks).
create policy app_lies_here on native_order for select to app
    using (in_hospital(hospital_id) and patient_id in (
           select s.patient_id from stay s where s.ended_at is null));
create policy app_lies_here on order_event for select to app
    using (in_hospital(hospital_id)
           and exists (select from native_order o where o.order_id = order_event.order_id));
create policy app_lies_here on signed_document for select to app
    using (in_hospital(hospital_id) and patient_id in (
           select s.patient_id from stay s where s.ended_at is null));

-- Hangs everything that goes along on another stay of the same patient.
create function stay_take_along(left_stay stay, entered stay, at timestamptz, by text)
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
    update care_agreement a set stay = entered.stay, unit = entered.unit
     where a.stay = left_stay.stay;
    update sepsis_done d set unit = entered.unit from sepsis_clock k
     where k.clock = d.clock and k.stay = left_stay.stay;
    update sepsis_clock k set stay = entered.stay, unit = entered.unit
     where k.stay = left_stay.stay;
    update transfer t set stay = entered.stay, unit = entered.unit, bed = entered.bed
     where t.stay = left_stay.stay and t.state in ('asked', 'accepted', 'left');
    -- Own limits of an earlier stay there end. Those of this one go along with their history,
    -- numbered after every act that there was on the same limit: no later change is an older one.
    if left_stay.unit <> entered.unit then
        update unit_limit l set undone_by = stay_take_along.by, undone_at = stay_take_along.at,
               undo_reason = 'another stay'
         where l.unit = entered.unit and l.patient_id = left_stay.patient_id::text
           and l.undone_at is null;
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

-- A stay goes on in another unit: it ends here as a transfer, and begins there with all it had.
-- Messages to relatives stop with it; there they wait until a physician lets them go on.
create function stay_transfer(going uuid, to_unit text, to_bed text, at timestamptz, by text)
    returns table (entered uuid, orders int)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    old stay;
    new_stay stay;
    family boolean;
begin
    if current_setting('role') = 'app' and not exists (
        select from stay s where s.stay = going and in_hospital(s.hospital_id) and in_unit(s.unit)
           and in_unit(to_unit) and exists (select from unit u where u.unit = to_unit
                                               and u.hospital_id = s.hospital_id)) then
        raise insufficient_privilege using message = 'this stay is outside the scope';
    end if;
    perform stay_end(going, stay_transfer.at, 'transfer');
    select * into old from stay s where s.stay = going;
    family := exists (select from contact c where c.stay = going and c.withdrawn_at is null);
    insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at,
                      treatment_limited, hold_reason)
    values (md5(going::text || to_unit || to_bed || extract(epoch from stay_transfer.at))::uuid,
            old.hospital_id, to_unit, to_bed, old.patient_id, old.mode, stay_transfer.at,
            stay_transfer.at, old.treatment_limited,
            case when old.hold_reason <> '' then old.hold_reason
                 when family then 'transfer' else '' end)
        on conflict on constraint stay_pkey do update set ended_at = null, end_reason = '',
           version = stay.version + 1
    returning * into new_stay;
    entered := new_stay.stay;
    orders := stay_take_along(old, new_stay, stay_transfer.at, stay_transfer.by);
    return next;
end $$;

-- A transfer was an error: the stay goes on where it was, with all it has by now.
create function stay_transfer_back(mistaken uuid, former uuid, to_bed text, at timestamptz, by text)
    returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
    wrong stay;
    again stay;
begin
    if current_setting('role') = 'app' and (select count(*) from stay s
        where s.stay in (mistaken, former) and in_hospital(s.hospital_id) and in_unit(s.unit)) < 2
    then
        raise insufficient_privilege using message = 'this stay is outside the scope';
    end if;
    perform stay_end(mistaken, stay_transfer_back.at, 'cancelled');
    select * into wrong from stay s where s.stay = mistaken;
    update stay s set ended_at = null, end_reason = '', bed = to_bed,
           moved_at = stay_transfer_back.at, version = version + 1
     where s.stay = former and s.patient_id = wrong.patient_id
    returning * into again;
    return stay_take_along(wrong, again, stay_transfer_back.at, stay_transfer_back.by);
end $$;

revoke execute on function stay_take_along(stay, stay, timestamptz, text),
    stay_transfer(uuid, text, text, timestamptz, text),
    stay_transfer_back(uuid, uuid, text, timestamptz, text) from public;
grant execute on function stay_transfer(uuid, text, text, timestamptz, text),
    stay_transfer_back(uuid, uuid, text, timestamptz, text) to app;

-- Follows one event of the archive. What somebody did here has made its stay already: its entries
-- find it as it is.
create or replace function stay_follow(event patient_event) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    open_stay stay;
    former uuid;
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
        end;
    end if;
    if open_stay.stay is not null then
        perform stay_end(open_stay.stay, event.event_at, 'transfer');
    end if;
    if exists (select from stay s where s.hospital_id = event.hospital_id
               and s.patient_id = event.patient_id and s.ended_at > event.event_at) then
        return;  -- an admission from before the last end
    end if;
    insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at)
    values (md5(event.hospital_id || event.patient_id || place || event.event_at)::uuid,
            event.hospital_id, place, event.bed, event.patient_id, event.mode, event.event_at,
            event.event_at) on conflict do nothing;
end $$;

-- An event of the archive is stored whatever its stay comes to; what may be tried again is.
create or replace function patient_event_followed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform stay_follow(new);
    return null;
exception when integrity_constraint_violation or data_exception
    or syntax_error_or_access_rule_violation or program_limit_exceeded or plpgsql_error then
    perform audit_append(new.unit, new.hospital_id, new.received_at, 'system', 'system',
        'stay_not_followed', new.patient_id::text, new.trigger || ': ' || sqlstate);
    return null;
end $$;

-- The bed of another unit that an event emptied though it named none, or another one (PV1-6): that
-- unit has to be told.
create function stay_left_by(hospital text, patient uuid, goal text, came_from text, at timestamptz)
    returns table (left_unit text, left_bed text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select s.unit, s.bed from stay s
     where s.hospital_id = hospital and s.patient_id = patient and s.ended_at = at
       and s.end_reason in ('transfer', 'cancelled') and s.unit not in (goal, came_from)
       and s.bed <> '' and exists (
           select from stay n where n.hospital_id = hospital and n.patient_id = patient
              and n.unit = goal and n.ended_at is null and n.moved_at = at)
$$;
revoke execute on function stay_left_by(text, uuid, text, text, timestamptz) from public;
grant execute on function stay_left_by(text, uuid, text, text, timestamptz) to writer;
grant insert on outbox to writer;
