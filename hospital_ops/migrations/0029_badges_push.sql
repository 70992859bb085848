-- Badges with which somebody acts by name at a wall: only a keyed hash of the number is kept.
create table badge (
    badge_id uuid primary key,
    hospital_id text not null references hospital,
    account uuid not null references account,
    badge_hash bytea not null,
    added_by text not null,
    added_at timestamptz not null,
    revoked_by text,
    revoked_at timestamptz
);
create unique index badge_one on badge (hospital_id, badge_hash) where revoked_at is null;

-- Where a browser may be called by Web Push (RFC 8030), and what was sent there, once for a call.
create table push_subscription (
    subscription_id uuid primary key,
    hospital_id text not null references hospital,
    who text not null,                  -- the account that is called there
    endpoint text not null,
    endpoint_hash bytea not null,
    p256dh text not null,               -- the browser's public key (RFC 8291)
    auth text not null,
    language text not null,
    made_at timestamptz not null,
    ended_at timestamptz,               -- signed off, or gone (404, 410)
    failures int not null default 0,
    not_before timestamptz              -- after a failure or a 429
);
create unique index push_one on push_subscription (endpoint_hash) where ended_at is null;
create table push_sent (
    alarm_id uuid not null,
    hospital_id text not null references hospital,
    unit text not null,
    who text not null,
    subscription_id uuid not null references push_subscription,
    called_at timestamptz not null,
    claimed_at timestamptz not null,    -- before the request left: it is never sent twice
    outcome text not null default '',   -- taken, gone, refused, later, unknown
    primary key (alarm_id, who, subscription_id, called_at)
);
create index push_sent_time on push_sent (hospital_id, called_at);

do $$
declare
    place text;
begin
    foreach place in array array['badge', 'push_subscription', 'push_sent'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        if place = 'push_sent' then
            execute format('create policy app_scope on %I to app'
                           ' using (in_hospital(hospital_id) and in_unit(unit))'
                           ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
        else
            execute format('create policy app_scope on %I to app using (in_hospital(hospital_id))'
                           ' with check (in_hospital(hospital_id))', place);
        end if;
    end loop;
end $$;
grant select, insert, update on badge, push_subscription, push_sent to app;
