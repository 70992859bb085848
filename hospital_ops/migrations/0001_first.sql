-- The house from the first day: hospital_id everywhere, days as partitions.
--
-- Roles (made before this file, by a superuser): owner (runs migrations and the keeper),
-- app (web and notify; sees its scope only), writer (the store reader; BYPASSRLS because COPY FROM
-- is not supported with row-level security). Nothing is granted here: 0002_rights.sql.

-- Places, people, devices ---------------------------------------------------------------------

create table hospital (
    hospital_id text primary key,
    name text not null,
    zone text not null default 'Europe/Moscow'
);

create table unit (
    unit text primary key,
    hospital_id text not null references hospital,
    kind text not null check (kind in ('icu', 'ed')),
    name text not null
);

create table bed (
    bed text primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    label text not null,
    position int not null
);

create table device (
    device text primary key,
    hospital_id text not null references hospital,
    unit text references unit,
    bed text references bed,
    kind text not null check (kind in ('tablet', 'monitor', 'gateway')),
    mode text not null check (mode in ('Real', 'Test', 'Demo')),
    token_hash bytea unique,
    made_at timestamptz not null default now(),
    revoked_at timestamptz
);

create table account (
    account uuid primary key,
    hospital_id text not null references hospital,
    name text not null unique,
    role text not null check (role in ('ed_physician', 'icu_physician', 'nurse', 'triage_nurse',
        'crew', 'wallboard', 'administrator', 'auditor', 'privacy_officer')),
    units text[] not null default '{*}',
    password_hash text not null,
    made_at timestamptz not null default now(),
    disabled_at timestamptz
);

create table session (
    session_hash bytea primary key,
    hospital_id text not null references hospital,
    account uuid not null references account,
    made_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);

-- Of the name typed only its sha256 is kept: people type passwords there too.
create table sign_in_failure (
    name_digest bytea not null,
    address text not null,
    at timestamptz not null
);
create index on sign_in_failure (name_digest, at);
create index on sign_in_failure (address, at);

-- Decisions and the outbox ----------------------------------------------------------------------

create table triage_decision (
    case_id uuid not null,
    version int not null check (version > 0),
    hospital_id text not null references hospital,
    unit text not null references unit,
    colour text not null check (colour in ('red', 'yellow', 'green')),
    proposed text not null,
    reason text not null default '',
    destination text not null default '',
    care text[] not null default '{}',
    decided_by text not null,
    decided_at timestamptz not null default now(),
    primary key (case_id, version)
);

create table outbox (
    number bigint generated always as identity primary key,
    hospital_id text not null,
    shard text not null,
    entry bytea not null,
    made_at timestamptz not null default now(),
    appended_at timestamptz,
    appended_as text
);
create index outbox_waiting on outbox (number) where appended_at is null;

-- The archive: what the store reader carries; inserted only --------------------------------------

create table message (
    hospital_id text not null,
    unit text not null,
    entry_id text not null,
    source text not null,
    message_id text not null,
    kind text not null,
    received_at timestamptz not null,
    entry bytea not null,
    raw bytea not null,
    primary key (received_at, unit, entry_id)
) partition by range (received_at);
create table message_default partition of message default;
alter table message alter raw set storage external, alter entry set storage external;

create table identity (
    hospital_id text not null,
    source text not null,
    identity bytea not null,
    digest bytea not null,
    first_received_at timestamptz not null,
    primary key (hospital_id, source, identity)
) partition by hash (hospital_id, source, identity);

create table measurement (
    hospital_id text not null,
    unit text not null,
    place text not null,             -- bed, or the uuid of a pre-arrival case
    patient_id uuid,                 -- null: nobody was bound at that time, or another was claimed
    device text not null,
    source text not null,
    source_message_id text not null,
    event_id uuid not null,
    code text not null,
    channel text not null,
    value double precision,
    value_text text,
    physical_unit text not null,
    determined_at timestamptz not null,  -- the device's time; the receive time where it gave none
    device_time timestamptz,
    received_at timestamptz not null,
    stored_at timestamptz not null,
    validity text not null,
    mode text not null,
    origin text not null,
    remark text not null,
    entry_id text not null
) partition by range (determined_at);
-- One value per device, channel and time; a second, different value of that time is kept too.
-- A text may be longer than an index row can be.
create unique index measurement_once on measurement
    (place, determined_at, code, channel, device, value, md5(value_text)) nulls not distinct;
create table measurement_default partition of measurement default;

create table waveform (
    hospital_id text not null,
    unit text not null,
    place text not null,
    patient_id uuid,
    device text not null,
    code text not null,
    channel text not null,
    started_at timestamptz not null,
    received_at timestamptz not null,
    rate_hz double precision not null,
    scale double precision not null,
    value_offset double precision not null,
    physical_unit text not null,
    samples bytea not null,
    sequence bigint not null,
    mode text not null,
    entry_id text not null
) partition by range (started_at);
create unique index waveform_once on waveform
    (place, started_at, code, channel, device, md5(samples));
create table waveform_default partition of waveform default;
alter table waveform alter samples set storage external;

create table patient_event (
    hospital_id text not null,
    unit text not null,
    patient_id uuid not null,
    mrn text not null,
    family text not null,
    given text not null,
    sex text not null,
    birth_date text not null,
    trigger text not null,
    bed text not null,
    prior_bed text not null,
    visit text not null,
    event_at timestamptz not null,
    received_at timestamptz not null,
    mode text not null,
    source text not null,
    entry_id text not null,
    primary key (unit, entry_id)
);
create index on patient_event (hospital_id, patient_id, event_at);

create table binding (
    hospital_id text not null,
    unit text not null,
    bed text not null,
    from_at timestamptz not null,
    patient_id uuid,                 -- null: from here on nobody
    mrn text not null,
    entry_id text not null,
    primary key (bed, from_at, entry_id)
);

create table case_event (
    hospital_id text not null,
    unit text not null,
    case_id uuid not null,
    kind text not null,
    at timestamptz not null,
    actor text not null,
    payload jsonb not null,
    mode text not null,
    entry_id text not null,
    primary key (case_id, entry_id, kind)
);

create table assessment (
    hospital_id text not null,
    unit text not null,
    case_id uuid not null,
    at timestamptz not null,
    proposed text not null,
    chart text not null,
    urgency double precision not null,
    inputs jsonb not null,
    result jsonb not null,
    mode text not null,
    entry_id text not null,
    primary key (case_id, entry_id)
);

create table alert_event (
    hospital_id text not null,
    unit text not null,
    alarm_id uuid not null,
    bed text not null,
    patient_id text not null,
    rule text not null,
    priority text not null,
    state text not null,
    at timestamptz not null,
    since timestamptz not null,
    words text not null,
    value double precision,
    mode text not null,
    entry_id text not null,
    primary key (alarm_id, state, at)
);

create table quarantine (
    hospital_id text not null,
    unit text not null,
    entry_id text not null,
    source text not null,
    identity bytea not null,
    reason text not null,
    received_at timestamptz not null,
    entry bytea not null,
    raw bytea not null,
    primary key (unit, entry_id, identity)
);

create table dead_letter (
    hospital_id text not null,
    unit text not null,
    stream text not null,
    entry_id text not null,
    code text not null,
    reason text not null,
    at timestamptz not null,
    entry bytea not null,
    raw bytea not null,
    primary key (unit, stream, entry_id)
);

-- Positions, leases, heartbeats --------------------------------------------------------------------

create table reader_position (
    shard text not null,
    stream text not null,
    hospital_id text not null,
    position text not null,
    epoch bigint not null,
    moved_at timestamptz not null default now(),
    primary key (shard, stream)
);

create table lease (
    name text primary key,
    holder text not null,
    epoch bigint not null,
    expires_at timestamptz not null
);

create table heartbeat (
    role text not null,
    process text not null,
    at timestamptz not null,
    primary key (role, process)
);

-- Audit: a hash chain per shard, written by one function only -----------------------------------------

create table audit (
    shard text not null,
    number bigint not null,
    hospital_id text not null,
    at timestamptz not null,
    actor text not null,
    role text not null,
    action text not null,
    subject text not null,
    detail text not null,
    previous bytea not null,
    hash bytea not null,
    primary key (shard, number)
);

create table audit_head (
    shard text primary key,
    hospital_id text not null,
    number bigint not null,
    hash bytea not null
);
