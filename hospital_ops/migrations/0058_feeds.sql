-- What each sender and each device behind it last sent, how far its clock is off and its longest
-- break; what could not be used says whose it was, and what became of each further try.

-- One row for a device (or a bed, where a sender names no device) of a sender. The role store tells
-- it a few seconds behind; nothing is decided by it.
create table feed (
    hospital_id text not null,
    unit text not null,              -- a unit or the hospital's hall
    source text not null,            -- a named source, device:NAME, or BOX/NAME behind a box
    device text not null,            -- empty: it named none
    bed text not null,               -- empty: of no bed
    mode text not null,
    since timestamptz not null,      -- heard for the first time
    last_at timestamptz not null,    -- of its last message, by our receipt
    offsets real[] not null default '{}',  -- receipt minus the device's time, s; the newest first
    gap_s double precision not null default 0,  -- the longest break of about a day
    gap_at timestamptz not null,     -- and when it ended
    primary key (unit, source, device, bed)
);
alter table feed enable row level security;
alter table feed force row level security;
create policy owner_all on feed to owner using (true) with check (true);
create policy app_scope on feed for select to app
    using (in_hospital(hospital_id) and in_unit(unit));
grant select on feed to app;
grant select, insert, update, delete on feed to writer;

-- A store reader of the version before leaves both empty.
alter table dead_letter
    add column source text,
    add column message_id text;      -- MSH-10 as sent
create index dead_letter_newest on dead_letter ((coalesce(last_at, at)) desc);

-- Each further try of a letter, by hand; only added to.
create table letter_try (
    hospital_id text not null,
    unit text not null,
    stream text not null,
    entry_id text not null,
    number int not null check (number > 0),
    outcome text not null check (outcome in ('taken', 'partly', 'refused')),
    reason text not null,
    made_by text not null,
    made_at timestamptz not null,
    primary key (unit, stream, entry_id, number),
    foreign key (unit, stream, entry_id) references dead_letter on delete cascade
);
alter table letter_try enable row level security;
alter table letter_try force row level security;
create policy owner_all on letter_try to owner using (true) with check (true);
create policy app_scope on letter_try to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert on letter_try to app;

-- A unit as a sender spells it, and the UCUM unit that it means; empty: the unit is UCUM itself.
alter table code_mapping add column read_as text not null default '';
