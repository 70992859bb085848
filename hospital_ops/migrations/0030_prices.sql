-- What a part of a text costs, by provider, as the site has entered it; there is no default price.
-- The newest entry before a message left holds for it, so an old day keeps its sum.
create table relative_price (
    hospital_id text not null references hospital,
    provider text not null,
    since timestamptz not null,
    price numeric(12, 5) check (price >= 0), -- of one part; null: none from here on
    currency text not null check (currency ~ '^([A-Z]{3})?$'), -- ISO 4217
    set_by text not null,
    primary key (hospital_id, provider, since)
);
alter table relative_price enable row level security;
alter table relative_price force row level security;
create policy owner_all on relative_price to owner using (true) with check (true);
create policy app_scope on relative_price to app
    using (in_hospital(hospital_id)) with check (in_hospital(hospital_id));
grant select, insert on relative_price to app;

-- What a message that may have left has cost; no row where nobody had entered a price by then.
create function relative_cost(m relative_message) returns table (cost numeric, currency text)
    language sql stable as $$
    select m.parts * newest.price, newest.currency
      from (select r.price, r.currency from relative_price r
             where r.hospital_id = m.hospital_id and r.provider = m.provider
               and r.since <= coalesce(m.sent_at, m.changed_at)
             order by r.since desc limit 1) newest
     where newest.price is not null and (m.sent_at is not null or m.state = 'unknown')
$$;
revoke execute on function relative_cost(relative_message) from public;
grant execute on function relative_cost(relative_message) to app;
