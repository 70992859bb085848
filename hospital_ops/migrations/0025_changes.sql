-- What changed about the devices of a bed: which monitor sends, the ventilator's mode, the pump and
-- syringe of an infusion, the set of ECG leads. Made with the minutes of a trend, an hour at a time:
-- the first of each hour, and every other one that differs from the one before it.
create table trend_change (
    hospital_id text not null,
    unit text not null,
    place text not null,
    at timestamptz not null,
    mode text not null,
    what text not null,              -- monitor, ventilation, pump, leads
    about text not null,             -- the code of the infusion
    said text not null,
    primary key (place, at, what, about, mode)
);
alter table trend_change enable row level security;
alter table trend_change force row level security;
create policy owner_all on trend_change to owner using (true) with check (true);
create policy app_scope on trend_change to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select on trend_change to app;

-- The changes between two moments, as whoever asks may see the values. Two devices that send at the
-- same time stand in one minute together, so that they do not change each second.
create function device_changes(bed_name text, first timestamptz, past timestamptz,
                               rate_code text, mode_code text, pumps text[], leads text[])
    returns table (at timestamptz, mode text, what text, about text, said text)
    language sql stable as $$
    with told as (
        select m.determined_at as at, m.mode, 'ventilation' as what, '' as about,
               m.value_text as said
          from measurement m
         where m.place = bed_name and m.determined_at >= first and m.determined_at < past
           and m.code = mode_code and m.value_text is not null and m.validity <> 'Inv'
        union all
        select date_bin('1 minute', m.determined_at, first), m.mode,
               case when m.code = rate_code then 'monitor' else 'pump' end,
               case when m.code = rate_code then '' else m.code end,
               string_agg(distinct trim(m.device || ' ' || m.channel), ', '
                          order by trim(m.device || ' ' || m.channel))
          from measurement m
         where m.place = bed_name and m.determined_at >= first and m.determined_at < past
           and (m.code = rate_code or m.code = any (pumps))
           and m.origin not in ('typed', 'laboratory')
         group by 1, 2, 3, 4
        union all
        select date_bin('1 minute', w.started_at, first), w.mode, 'leads', '',
               string_agg(distinct w.code, ' ' order by w.code)
          from waveform w
         where w.place = bed_name and w.started_at >= first and w.started_at < past
           and w.code = any (leads)
         group by 1, 2
    )
    select distinct on (c.at, c.what, c.about, c.mode) c.at, c.mode, c.what, c.about, c.said
      from (select t.*, lag(t.said) over (partition by t.what, t.about, t.mode order by t.at)
                        as before from told t) c
     where c.before is distinct from c.said
     order by c.at, c.what, c.about, c.mode, c.said
$$;
revoke execute on function
    device_changes(text, timestamptz, timestamptz, text, text, text[], text[]) from public;
grant execute on function
    device_changes(text, timestamptz, timestamptz, text, text, text[], text[]) to app;

-- The changes of one hour, made anew. Curves are packed after a day: leads that are known stay.
create function build_changes(bed_name text, of_unit text, of_hospital text, first timestamptz,
                              rate_code text, mode_code text, pumps text[], leads text[])
    returns void language sql as $$
    delete from trend_change t
     where t.place = bed_name and t.at >= first and t.at < first + interval '1 hour'
       and (t.what <> 'leads'
            or exists (select from waveform w where w.place = bed_name and w.started_at >= first
                                                and w.started_at < first + interval '1 hour'));
    insert into trend_change (hospital_id, unit, place, at, mode, what, about, said)
    select of_hospital, of_unit, bed_name, c.at, c.mode, c.what, c.about, c.said
      from device_changes(bed_name, first, first + interval '1 hour', rate_code, mode_code, pumps,
                          leads) c;
$$;
revoke execute on function
    build_changes(text, text, text, timestamptz, text, text, text[], text[]) from public;
