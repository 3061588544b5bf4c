-- AlterTable
ALTER TABLE "usage_days" ALTER COLUMN "units" SET DATA TYPE DECIMAL(98,0),
ALTER COLUMN "amount" SET DATA TYPE DECIMAL(98,0);

-- What the schema cannot say.

-- A rebuild that was interrupted would go on with, and swap in, columns as they were.
drop schema if exists rebuild_usage cascade;
delete from "projection_rebuilds" where "name" = 'usage';
