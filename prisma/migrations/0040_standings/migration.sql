-- Whom a tenant serves. A row of payer '*' stands for everybody who has none.

-- CreateTable
CREATE TABLE "payer_standings" (
    "tenant" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "standing" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "payer_standings_pkey" PRIMARY KEY ("tenant","payer")
);

-- What the schema cannot say.

alter table "payer_standings" add constraint "payer_standings_standing_check" check ("standing" in ('allowed', 'denied'));

-- Gateways refuse offers by what they have in memory, which follows these notices; admissions read the rows.
create function notify_customers() returns trigger language plpgsql as $$
begin
  perform pg_notify('tollbook_customers', tg_table_name);
  return null;
end $$;
create trigger payer_standings_changed after insert or update or delete on payer_standings
  for each statement execute function notify_customers();
