-- Trends of whole stays: each value by the minute, made behind the archive, an hour at a time; and
-- what people chart: corrections, which keep the value they replace, and hours that were validated.

create table trend_minute (
    hospital_id text not null,
    unit text not null,
    place text not null,
    code text not null,
    minute timestamptz not null,
    lowest double precision not null,
    highest double precision not null,
    total double precision not null,
    number int not null,
    physical_unit text not null,
    primary key (place, code, minute)
);

-- How far a bed's minutes are made: once soon after each hour, and again a day later, when what was
-- sent late is there.
create table trend_place (
    place text primary key,
    hospital_id text not null,
    unit text not null,
    built_until timestamptz not null,
    again_until timestamptz not null
);

create table correction (
    hospital_id text not null,
    unit text not null,
    bed text not null,
    event_id uuid not null,          -- of the value that does not hold
    replaced_by uuid,                -- null: entered in error
    code text not null,
    determined_at timestamptz not null,
    actor text not null,
    role text not null,
    at timestamptz not null,
    reason text not null,
    mode text not null,
    entry_id text not null,
    primary key (bed, entry_id)
);
create index correction_time on correction (bed, determined_at);

create table flowsheet_hour (
    hospital_id text not null,
    unit text not null,
    bed text not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    figures jsonb not null,          -- code: what stood in the column when it was validated
    actor text not null,
    role text not null,
    at timestamptz not null,
    mode text not null,
    entry_id text not null,
    primary key (bed, entry_id)
);
create index flowsheet_hour_time on flowsheet_hour (bed, from_at);

-- One hour of one bed, by the minute; what is there is made anew.
create function build_trend(bed_name text, of_unit text, of_hospital text, first timestamptz)
    returns void language sql as $$
    insert into trend_minute
    select of_hospital, of_unit, bed_name, m.code, date_bin('1 minute', m.determined_at, first),
           min(m.value), max(m.value), sum(m.value), count(*), max(m.physical_unit)
      from measurement m
     where m.place = bed_name and m.determined_at >= first
       and m.determined_at < first + interval '1 hour'
       and m.value is not null and m.validity <> 'Inv'
       and m.value not in ('Infinity', '-Infinity', 'NaN')
     group by m.code, date_bin('1 minute', m.determined_at, first)
    on conflict (place, code, minute) do update
       set lowest = excluded.lowest, highest = excluded.highest, total = excluded.total,
           number = excluded.number, physical_unit = excluded.physical_unit
$$;

-- The next hours that are due, at most so many; answers how many were made.
create function build_trends(moment timestamptz, at_most int) returns int
    language plpgsql set search_path = public, pg_temp as $$
declare
    one record;
    made int := 0;
begin
    if not pg_try_advisory_xact_lock(hashtext('hospital_ops.build_trends')) then
        return 0;
    end if;
    for one in select b.bed, b.unit, b.hospital_id from bed b
                where not exists (select 1 from trend_place p where p.place = b.bed) loop
        insert into trend_place
        select one.bed, one.hospital_id, one.unit, t.first, t.first
          from (select date_trunc('hour', greatest(min(determined_at), moment - interval '31 days'),
                                  'UTC') as first
                  from measurement where place = one.bed) t
         where t.first is not null;
    end loop;
    for one in select * from trend_place p
                where p.built_until + interval '75 minutes' <= moment
                   or (p.again_until + interval '26 hours' <= moment
                       and p.again_until < p.built_until)
                order by p.built_until limit at_most loop
        if one.built_until + interval '75 minutes' <= moment then
            perform build_trend(one.place, one.unit, one.hospital_id, one.built_until);
            update trend_place set built_until = built_until + interval '1 hour'
             where place = one.place;
        else
            perform build_trend(one.place, one.unit, one.hospital_id, one.again_until);
            update trend_place set again_until = again_until + interval '1 hour'
             where place = one.place;
        end if;
        made := made + 1;
    end loop;
    return made;
end $$;
revoke execute on function build_trend(text, text, text, timestamptz) from public;
revoke execute on function build_trends(timestamptz, int) from public;

do $$
declare
    place text;
begin
    foreach place in array array['trend_minute', 'trend_place', 'correction', 'flowsheet_hour'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select on trend_minute, trend_place, correction, flowsheet_hour to app;
grant select, insert on correction, flowsheet_hour to writer;
