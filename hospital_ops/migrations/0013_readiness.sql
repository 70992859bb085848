-- Emergency departments: places that can be kept for a case, what a department sets for itself,
-- signed hand-over sheets.

create table ed_place (
    place text primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    kind text not null check (kind in ('bay', 'theatre', 'cath_lab', 'ct', 'icu_bed', 'blood')),
    zone text not null default '' check (zone in ('', 'resuscitation', 'treatment')),
    label text not null,
    entrance text not null default '',
    position int not null default 0
);

-- One place, one case (SAFETY.md I17): the primary key, not a check.
create table place_given (
    place text primary key references ed_place,
    hospital_id text not null references hospital,
    unit text not null references unit,
    case_id uuid not null,
    state text not null check (state in ('held', 'ready')),
    given_by text not null,
    given_at timestamptz not null
);
create index on place_given (case_id);

create table ed_setting (
    unit text not null references unit,
    version int not null check (version > 0),
    hospital_id text not null references hospital,
    ring text[] not null,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (unit, version)
);

create table handover_sheet (
    case_id uuid not null,
    version int not null check (version > 0),
    hospital_id text not null references hospital,
    unit text not null references unit,
    sheet jsonb not null,
    signed_by text not null,
    signed_at timestamptz not null,
    primary key (case_id, version)
);

create index case_event_unit_at on case_event (unit, at);

do $$
declare
    place text;
begin
    foreach place in array array['ed_place', 'place_given', 'ed_setting', 'handover_sheet'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select, insert, update on ed_place to app;
grant select, insert, update, delete on place_given to app;
grant select, insert on ed_setting, handover_sheet to app;
grant select on ed_place to writer;

-- A department begins with the usual places; the site renames them and adds its own.
create function usual_places() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into ed_place (place, hospital_id, unit, kind, zone, label, position)
    select new.unit || '-' || u.place, new.hospital_id, new.unit, u.kind, u.zone, u.label, u.n
      from (values ('r1', 'bay', 'resuscitation', 'R1', 1), ('r2', 'bay', 'resuscitation', 'R2', 2),
                   ('r3', 'bay', 'resuscitation', 'R3', 3), ('t1', 'bay', 'treatment', 'T1', 11),
                   ('t2', 'bay', 'treatment', 'T2', 12), ('t3', 'bay', 'treatment', 'T3', 13),
                   ('t4', 'bay', 'treatment', 'T4', 14), ('t5', 'bay', 'treatment', 'T5', 15),
                   ('t6', 'bay', 'treatment', 'T6', 16), ('ct', 'ct', '', 'CT', 21),
                   ('cath', 'cath_lab', '', 'Cath 1', 22), ('or', 'theatre', '', 'OR 1', 23),
                   ('icu', 'icu_bed', '', 'ICU 1', 24), ('blood', 'blood', '', '0-', 25))
           as u (place, kind, zone, label, n)
        on conflict do nothing;
    return null;
end $$;
create trigger usual_places after insert on unit
    for each row when (new.kind = 'ed') execute function usual_places();
revoke execute on function usual_places() from public;
insert into ed_place (place, hospital_id, unit, kind, zone, label, position)
select u.unit || '-' || p.place, u.hospital_id, u.unit, p.kind, p.zone, p.label, p.n
  from unit u cross join
       (values ('r1', 'bay', 'resuscitation', 'R1', 1), ('r2', 'bay', 'resuscitation', 'R2', 2),
               ('r3', 'bay', 'resuscitation', 'R3', 3), ('t1', 'bay', 'treatment', 'T1', 11),
               ('t2', 'bay', 'treatment', 'T2', 12), ('t3', 'bay', 'treatment', 'T3', 13),
               ('t4', 'bay', 'treatment', 'T4', 14), ('t5', 'bay', 'treatment', 'T5', 15),
               ('t6', 'bay', 'treatment', 'T6', 16), ('ct', 'ct', '', 'CT', 21),
               ('cath', 'cath_lab', '', 'Cath 1', 22), ('or', 'theatre', '', 'OR 1', 23),
               ('icu', 'icu_bed', '', 'ICU 1', 24), ('blood', 'blood', '', '0-', 25))
       as p (place, kind, zone, label, n)
 where u.kind = 'ed'
    on conflict do nothing;

-- A case that has ended keeps no place. What comes too late to end it frees nothing.
create function case_ends() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.kind in ('handover', 'left_unseen', 'discharge') or not exists (
        select from case_event e where e.case_id = new.case_id
            and e.kind in ('arrival', 'takeover') and e.at <= new.at
    ) then
        delete from place_given g
            where g.case_id = new.case_id and g.hospital_id = new.hospital_id;
    end if;
    return null;
end $$;
create trigger case_ends after insert on case_event
    for each row when (new.kind in ('handover', 'left_unseen', 'discharge', 'cancellation',
        'refusal', 'left_on_scene', 'death', 'reroute')) execute function case_ends();
revoke execute on function case_ends() from public;
