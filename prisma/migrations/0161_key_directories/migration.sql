-- Where accounts publish the keys by which they sign.

-- AlterTable
ALTER TABLE "accounts" ADD COLUMN     "directory_private" BOOLEAN,
ADD COLUMN     "key_directory" TEXT;
