-- A customer's key may be good for some routes only.

-- AlterTable
ALTER TABLE "customer_keys" ADD COLUMN     "scope" JSONB;
