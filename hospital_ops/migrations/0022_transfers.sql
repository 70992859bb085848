-- Transfers between hospitals. The row belongs to the sender (hospital_id, unit); the receiver sees
-- the request from the beginning. What may be read of the patient is no part of it (icu/transfers).
create table transfer (
    transfer uuid primary key,       -- also the case on the receiver's emergency board
    hospital_id text not null references hospital,
    unit text not null references unit,
    bed text not null,
    stay uuid not null references stay,
    patient_id uuid not null,
    from_name text not null,         -- hospital and unit of the sender, as the receiver reads them
    to_hospital text references hospital,
    to_unit text references unit,    -- null: of another installation
    to_name text not null,
    state text not null check (state in ('asked', 'accepted', 'declined', 'withdrawn', 'left',
                                         'arrived')),
    version int not null default 1,
    why text not null,
    needs text[] not null default '{}',
    sex text not null,
    age_years double precision,
    mode text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    answered_by text not null default '',
    answered_at timestamptz,
    answer text not null default '',
    to_bed text not null default '',
    eta timestamptz,
    left_by text not null default '',
    left_at timestamptz,
    ended_by text not null default '',
    ended_at timestamptz,
    check (num_nonnulls(to_hospital, to_unit) in (0, 2)),
    check (to_hospital <> hospital_id),
    check (state in ('asked', 'withdrawn') or answered_by <> '')
);
create unique index transfer_one on transfer (stay) where state in ('asked', 'accepted', 'left');
create index on transfer (unit, asked_at desc);
create index on transfer (to_unit, asked_at desc);

alter table transfer enable row level security;
alter table transfer force row level security;
create policy owner_all on transfer to owner using (true) with check (true);
create policy app_scope on transfer to app using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
create policy app_receiver_reads on transfer for select to app
    using (in_hospital(to_hospital) and in_unit(to_unit));
create policy app_receiver_answers on transfer for update to app
    using (in_hospital(to_hospital) and in_unit(to_unit))
    with check (in_hospital(to_hospital) and in_unit(to_unit));
-- Who is meant, and where to, is never changed; the way is the drawn one.
grant select, insert on transfer to app;
grant update (state, version, answered_by, answered_at, answer, to_bed, eta, left_by, left_at,
              ended_by, ended_at) on transfer to app;

create function transfer_moves() returns trigger language plpgsql as $$
begin
    if new.state <> old.state and not (old.state, new.state) in (
        ('asked', 'accepted'), ('asked', 'declined'), ('asked', 'withdrawn'),
        ('accepted', 'withdrawn'), ('accepted', 'left'), ('accepted', 'arrived'),
        ('left', 'arrived'), ('left', 'withdrawn')) then
        raise check_violation
            using message = 'no transfer goes from ' || old.state || ' to ' || new.state;
    end if;
    return new;
end $$;
create trigger moves before update on transfer
    for each row execute function transfer_moves();

-- On an emergency board the arrival goes by the stream: the transfer ends with it.
create function transfer_arrives() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update transfer t set state = 'arrived', version = version + 1, ended_by = new.actor,
           ended_at = new.at
     where t.transfer = new.case_id and t.to_unit = new.unit and t.state in ('accepted', 'left');
    return null;
end $$;
create trigger transfer_arrives after insert on case_event
    for each row when (new.kind in ('arrival', 'takeover', 'handover'))
    execute function transfer_arrives();
revoke execute on function transfer_arrives() from public;

-- Where patients can be sent to: names of hospitals and units, nothing of what is in them.
create function transfer_directory()
    returns table (unit text, kind text, name text, hospital_id text, hospital text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select u.unit, u.kind, u.name, u.hospital_id, h.name
      from unit u join hospital h using (hospital_id) order by h.name, u.kind desc, u.name
$$;
revoke execute on function transfer_directory() from public;
grant execute on function transfer_directory() to app;
