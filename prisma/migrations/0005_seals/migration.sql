-- CreateTable
CREATE TABLE "seals" (
    "number" BIGINT NOT NULL,
    "from_position" BIGINT NOT NULL,
    "to_position" BIGINT NOT NULL,
    "root" BYTEA NOT NULL,
    "jws" TEXT NOT NULL,
    "sealed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "seals_pkey" PRIMARY KEY ("number")
);

-- CreateTable
CREATE TABLE "seal_leaves" (
    "to_position" BIGINT NOT NULL,
    "number" BIGINT NOT NULL,
    "hashes" BYTEA NOT NULL,

    CONSTRAINT "seal_leaves_pkey" PRIMARY KEY ("to_position")
);

-- CreateIndex
CREATE UNIQUE INDEX "seal_leaves_number_key" ON "seal_leaves"("number");

-- What the schema cannot say.

-- Seals are signed statements: what was said stays said.
create function refuse_seal_change() returns trigger language plpgsql as $$
begin
  raise exception 'seals are never changed or deleted' using errcode = 'restrict_violation';
end $$;
create trigger seals_only_grow before update or delete or truncate on "seals"
  for each statement execute function refuse_seal_change();
create trigger seal_leaves_only_grow before update or delete or truncate on "seal_leaves"
  for each statement execute function refuse_seal_change();

alter table "seals"
  add constraint "seals_number_check" check ("number" > 0),
  add constraint "seals_range_check" check ("from_position" > 0 and "to_position" >= "from_position");

-- Hashes do not compress, and a part of them is read without the rest.
alter table "seal_leaves" alter column "hashes" set storage external;
