-- Allergies that were told before the bed (by a crew, in the emergency department, in an ADT) stand
-- with the patient, with who said it and when; a person is one by whichever number they are known.

create index on patient_link (patient_id);
create index on patient_link (into_id);

-- Everybody who is one person with somebody: all numbers that were merged, in either direction.
create function one_person(wanted uuid) returns setof uuid
    language sql stable as $$
    with recursive one (patient_id) as (
        select wanted
        union
        select other.id from one cross join lateral (
            select l.into_id from patient_link l
             where l.patient_id = one.patient_id and l.kind = 'merged'
            union all
            select l.patient_id from patient_link l
             where l.into_id = one.patient_id and l.kind = 'merged') as other (id)
    )
    select patient_id from one
$$;

alter table allergy
    add column heard text not null default 'bed' check (heard in ('bed', 'ed', 'crew', 'adt', 'hospital')),
    add column case_id uuid,             -- in which it was told
    add column item uuid,                -- as its teller named it
    add column confirmed_by text,        -- who has asked again; entered at the bed: nobody needs to
    add column confirmed_at timestamptz;
create unique index allergy_item on allergy (patient_id, item);
grant update (confirmed_by, confirmed_at) on allergy to app;

-- What was told of a case about allergies; not held: withdrawn, or another case's by now.
create function case_allergies(wanted uuid)
    returns table (item uuid, substance text, reaction text, told_by text, heard text, actor text,
                   at timestamptz, mode text, held boolean, changed_at timestamptz,
                   changed_by text)
    language sql stable security definer set search_path = public, pg_temp as $$
    with recursive linked (case_id, whole) as (  -- the case, and whatever it got something from
        select wanted, true
        union
        select (e.payload ->> 'from')::uuid, l.whole and e.payload -> 'items' = '[]'::jsonb
          from linked l join case_event e on e.case_id = l.case_id and e.kind = 'moved_in'
         where (e.payload ->> 'from')::uuid <> wanted
    ), told as (
        select (e.payload ->> 'of')::uuid as id, true as away, e.at, e.entry_id, e.actor
          from case_event e
         where e.kind = 'withdrawal' and e.case_id in (select l.case_id from linked l)
        union all
        select one::uuid, e.kind = 'moved_out', e.at, e.entry_id, e.actor
          from case_event e, jsonb_array_elements_text(e.payload -> 'items') as one
         where e.kind in ('moved_out', 'moved_in')
           and e.case_id in (select l.case_id from linked l where l.whole)
    ), last as (  -- of each thing the last word; a move within the same person leaves it here
        select distinct on (t.id) t.id, t.away, t.at, t.actor
          from told t order by t.id, t.at desc, t.entry_id desc, t.away
    )
    select (e.payload ->> 'id')::uuid, coalesce(e.payload ->> 'what', ''),
           coalesce(e.payload ->> 'reaction', ''), coalesce(e.payload ->> 'who', ''),
           case when e.payload ->> 'role' in ('crew', 'tablet') then 'crew'
                when e.payload ->> 'role' = 'hospital' then 'hospital' else 'ed' end,
           e.actor, e.at, e.mode,
           case when last.id is null then e.case_id in (select l.case_id from linked l where l.whole)
                else not last.away end,
           coalesce(last.at, e.at), coalesce(last.actor, e.actor)
      from case_event e left join last on last.id = (e.payload ->> 'id')::uuid
     where e.kind = 'allergy' and e.case_id in (select l.case_id from linked l)
$$;

-- "None known" does not stand beside an allergy.
create function allergy_none_known_ends(person uuid[]) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update allergy n set ended_by = a.recorded_by,
           ended_at = greatest(a.recorded_at, n.recorded_at),
           end_reason = 'an allergy was recorded'
      from (select * from allergy f where f.patient_id = any (person) and f.substance <> ''
               and f.ended_at is null order by f.recorded_at limit 1) a
     where n.patient_id = any (person) and n.substance = '' and n.ended_at is null
$$;

-- What was told of a case becomes the patient's: each once, and nothing again that somebody ended
-- since. What was taken back before anybody confirmed it ends.
create function allergies_filed(hospital text, of_unit text, patient uuid, of_mode text,
                                of_case uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    person uuid[];
begin
    perform pg_advisory_xact_lock(hashtextextended('order ' || patient, 0));
    person := array(select one_person(patient));
    insert into allergy (allergy, hospital_id, unit, patient_id, substance, reaction, criticality,
                         told_by, recorded_by, recorded_at, mode, heard, case_id, item)
    select distinct on (lower(c.substance)) md5(patient::text || c.item)::uuid, hospital, of_unit,
           patient, c.substance, c.reaction, 'unable-to-assess', c.told_by, c.actor, c.at, of_mode,
           c.heard, of_case, c.item
      from case_allergies(of_case) c
     where c.held and c.substance <> '' and (of_mode <> 'Real' or c.mode = 'Real')
       and not exists (select from allergy a where a.patient_id = any (person)
                          and (a.item = c.item or lower(a.substance) = lower(c.substance)
                               and (a.ended_at is null or a.ended_at >= c.at)))
     order by lower(c.substance), c.heard <> 'ed', c.at
        on conflict do nothing;
    update allergy a set ended_by = c.changed_by, ended_at = greatest(c.changed_at, a.recorded_at),
           end_reason = 'taken back by whoever told it'
      from case_allergies(of_case) c
     where a.item = c.item and a.patient_id = any (person) and not c.held and a.ended_at is null
       and a.confirmed_by is null;
    insert into allergy (allergy, hospital_id, unit, patient_id, substance, reaction, criticality,
                         told_by, recorded_by, recorded_at, mode, heard, case_id, item)
    select md5(patient::text || c.item)::uuid, hospital, of_unit, patient, '', '',
           'unable-to-assess', c.told_by, c.actor, c.at, of_mode, c.heard, of_case, c.item
      from case_allergies(of_case) c
     where c.held and c.substance = '' and (of_mode <> 'Real' or c.mode = 'Real')
       and not exists (select from allergy a where a.patient_id = any (person)
                          and (a.item = c.item or a.ended_at is null))
     order by c.heard <> 'ed', c.at limit 1
        on conflict do nothing;
    perform allergy_none_known_ends(person);
end $$;

-- What holds for a patient, by whichever number, and how many acts that counts.
create or replace function patient_flags(patient uuid)
    returns table (isolation text[], allergy boolean, version int)
    language plpgsql set search_path = public, pg_temp as $$
declare
    person uuid[] := array(select p from one_person(patient) p order by p);
begin
    perform pg_advisory_xact_lock(hashtextextended('flags ' || person[1], 0));
    return query
    select coalesce((select array_agg(distinct i.kind order by i.kind) from isolation i
                      where i.patient_id = any (person) and i.ended_at is null), '{}'),
           exists (select from allergy a where a.patient_id = any (person) and a.ended_at is null
                                           and a.substance <> ''),
           ((select count(*) + count(i.ended_at) from isolation i
              where i.patient_id = any (person))
            + (select count(*) + count(a.ended_at) from allergy a
                where a.patient_id = any (person)))::int;
end $$;

-- Isolation that was entered in an earlier stay of the person ends as the next one begins.
create function isolation_of_earlier_stays_ends(person uuid[], began timestamptz, by text)
    returns void language sql security definer set search_path = public, pg_temp as $$
    update isolation i set ended_by = by, ended_at = began
     where i.patient_id = any (person) and i.ended_at is null
       and exists (select from stay s
                    where s.patient_id = any (person)
                      and s.end_reason in ('discharge', 'death')
                      and s.ended_at between i.begun_at and began)
$$;

create or replace function patient_flags_on_arrival(hospital text, patient uuid, trigger text,
                                                    at timestamptz, by text)
    returns table (isolation text[], allergy boolean, version int)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if trigger = 'A01' then
        perform isolation_of_earlier_stays_ends(array(select one_person(patient)), at, by);
        perform allergies_filed(e.hospital_id, e.unit, e.patient_id, e.mode, e.case_id)
           from patient_event e
          where e.hospital_id = hospital and e.patient_id = patient and e.event_at = at
            and e.trigger = 'A01' and e.case_id is not null
            and exists (select from unit u where u.unit = e.unit);
    end if;
    return query select * from patient_flags(patient);
end $$;

-- What was told of a case late, on tablets that had no network: the units are told where its
-- patients lie by now.
create function allergies_told(told uuid)
    returns table (unit text, patient_id uuid, mode text, isolation text[], allergy boolean,
                   version int)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    one record;
begin
    for one in
        with recursive became (case_id) as (  -- the case, and those that got something of it
            select told
            union
            select (e.payload ->> 'to')::uuid from became b
              join case_event e on e.case_id = b.case_id and e.kind = 'moved_out'
        )
        select distinct e.hospital_id, e.unit, e.patient_id, e.mode, e.case_id
          from patient_event e join became b on b.case_id = e.case_id
          join unit u on u.unit = e.unit
         order by e.patient_id
    loop
        perform allergies_filed(one.hospital_id, one.unit, one.patient_id, one.mode, one.case_id);
        return query
        select s.unit, s.patient_id, s.mode, f.isolation, f.allergy, f.version
          from stay s cross join lateral patient_flags(s.patient_id) f
         where s.hospital_id = one.hospital_id and s.ended_at is null
           and s.patient_id in (select one_person(one.patient_id));
    end loop;
end $$;

-- What an ADT message says of allergies (AL1) is added once; one that somebody here has ended since
-- does not come back with the next message.
create function allergies_of_adt(hospital text, of_unit text, patient uuid, of_mode text,
                                 substances text[], reactions text[], by text, at timestamptz)
    returns table (unit text, patient_id uuid, mode text, isolation text[], allergy boolean,
                   version int)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    person uuid[] := array(select one_person(patient));
    place text := coalesce((select u.unit from unit u where u.unit = of_unit),
                           (select s.unit from stay s where s.hospital_id = hospital
                               and s.patient_id = any (person) and s.ended_at is null limit 1));
    added int;
begin
    if place is null or of_mode <> 'Real' and exists (
        select from stay s where s.hospital_id = hospital and s.patient_id = any (person)
           and s.mode = 'Real' and s.ended_at is null)
    then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('order ' || patient, 0));
    insert into allergy (allergy, hospital_id, unit, patient_id, substance, reaction, criticality,
                         recorded_by, recorded_at, mode, heard)
    select distinct on (lower(t.substance)) gen_random_uuid(), hospital, place, patient,
           t.substance, t.reaction, 'unable-to-assess', by, at, of_mode, 'adt'
      from unnest(substances, reactions) as t (substance, reaction)
     where not exists (select from allergy a where a.patient_id = any (person)
                          and lower(a.substance) = lower(t.substance)
                          and (a.ended_at is null or a.heard = 'adt'))
       and (t.substance <> '' or not exists (select from allergy a where a.ended_at is null
                                                and a.patient_id = any (person)))
     order by lower(t.substance);
    get diagnostics added = row_count;
    perform allergy_none_known_ends(person);
    if added > 0 then
        return query
        select s.unit, s.patient_id, s.mode, f.isolation, f.allergy, f.version
          from stay s cross join lateral patient_flags(s.patient_id) f
         where s.hospital_id = hospital and s.patient_id = any (person) and s.ended_at is null;
    end if;
end $$;

-- Two numbers are one person's (A40, or somebody unknown who is known by now): what either was
-- recorded with holds for the person. The units are told where the person lies.
create function flags_merged(hospital text, patient uuid, by text)
    returns table (unit text, patient_id uuid, mode text, isolation text[], allergy boolean,
                   version int)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    person uuid[] := array(select one_person(patient));
begin
    perform allergy_none_known_ends(person);
    perform isolation_of_earlier_stays_ends(person, s.admitted_at, by)
       from stay s where s.hospital_id = hospital and s.patient_id = any (person)
        and s.ended_at is null;
    return query
    select s.unit, s.patient_id, s.mode, f.isolation, f.allergy, f.version
      from stay s cross join lateral patient_flags(s.patient_id) f
     where s.hospital_id = hospital and s.patient_id = any (person) and s.ended_at is null;
end $$;

revoke execute on function case_allergies(uuid), allergy_none_known_ends(uuid[]),
    allergies_filed(text, text, uuid, text, uuid),
    isolation_of_earlier_stays_ends(uuid[], timestamptz, text), allergies_told(uuid),
    flags_merged(text, uuid, text),
    allergies_of_adt(text, text, uuid, text, text[], text[], text, timestamptz) from public;
grant execute on function allergies_told(uuid), flags_merged(text, uuid, text),
    allergies_of_adt(text, text, uuid, text, text[], text[], text, timestamptz) to writer;

-- What was entered in one unit is confirmed and ended in the next one, to which the patient went;
-- it is entered in a unit of one's own alone.
drop policy app_scope on allergy;
create policy app_scope on allergy to app using (in_hospital(hospital_id))
    with check (in_hospital(hospital_id));
create policy app_enters on allergy as restrictive for insert to app with check (in_unit(unit));
drop policy app_scope on isolation;
create policy app_scope on isolation to app using (in_hospital(hospital_id))
    with check (in_hospital(hospital_id));
create policy app_enters on isolation as restrictive for insert to app with check (in_unit(unit));
