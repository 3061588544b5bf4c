-- CreateTable
CREATE TABLE "unbooked_gas" (
    "hash" TEXT NOT NULL,

    CONSTRAINT "unbooked_gas_pkey" PRIMARY KEY ("hash")
);

-- What the schema cannot say.

-- What was sent before gas was booked. To book what is booked already changes nothing, so all of them are named.
insert into "unbooked_gas" select "hash" from "settlement_transactions";
