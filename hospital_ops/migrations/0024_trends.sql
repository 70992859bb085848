-- Minutes of a trend by mode, without what was taken back, and made anew when something about an
-- hour that is made becomes known later.

-- The values a trend is made of, by whichever way it is read: numbers of a signal, as they hold now,
-- and not those that a message gave to another patient than the one bound to the place.
create view trend_value with (security_invoker = true) as
select m.hospital_id, m.unit, m.place, m.code, m.mode, m.determined_at, m.value, m.physical_unit
  from measurement m
 where m.value is not null and m.validity <> 'Inv'
   and m.value not in ('Infinity', '-Infinity', 'NaN')
   and (m.patient_id is not null
        or strpos(m.remark, 'the message named another patient') = 0)
   and not exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                                              and c.determined_at = m.determined_at);
grant select on trend_value to app;

-- What is there was made without asking for the mode: all of it is made anew, the oldest hour first;
-- until then the values themselves are read.
update trend_place p set built_until = least(p.built_until, t.first)
  from (select place, date_trunc('hour', min(minute), 'UTC') as first
          from trend_minute group by place) t
 where t.place = p.place;
truncate trend_minute;
alter table trend_minute drop constraint trend_minute_pkey;
alter table trend_minute add column mode text not null;
alter table trend_minute add primary key (place, code, mode, minute);

-- Hours of which something became known after they may have been made: a correction, a value that
-- came late. Read from the values until they are made anew. Rows are only added, so nobody waits.
create table trend_again (
    number bigint generated always as identity primary key,
    hospital_id text not null,
    unit text not null,
    place text not null,
    hour timestamptz not null
);
create index trend_again_place on trend_again (place, hour);
alter table trend_again enable row level security;
alter table trend_again force row level security;
create policy owner_all on trend_again to owner using (true) with check (true);
create policy app_scope on trend_again to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select on trend_again to app;
grant select, insert on trend_again to writer;
insert into trend_again (hospital_id, unit, place, hour)
select distinct c.hospital_id, c.unit, c.bed, date_trunc('hour', c.determined_at, 'UTC')
  from correction c;

drop function build_trends(timestamptz, int);
-- One hour of one bed, by the minute and the mode: made anew from what holds now.
create or replace function build_trend(bed_name text, of_unit text, of_hospital text,
                                       first timestamptz) returns void language sql as $$
    delete from trend_minute t
     where t.place = bed_name and t.minute >= first and t.minute < first + interval '1 hour';
    insert into trend_minute (hospital_id, unit, place, code, mode, minute, lowest, highest, total,
                              number, physical_unit)
    select of_hospital, of_unit, bed_name, m.code, m.mode,
           date_bin('1 minute', m.determined_at, first),
           min(m.value), max(m.value), sum(m.value), count(*), max(m.physical_unit)
      from trend_value m
     where m.place = bed_name and m.determined_at >= first
       and m.determined_at < first + interval '1 hour'
     group by m.code, m.mode, date_bin('1 minute', m.determined_at, first);
$$;
