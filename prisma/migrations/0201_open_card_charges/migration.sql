-- An event of a payment that is not known yet is asked whether a charge of its tenant is under way.

-- CreateIndex
CREATE INDEX "card_charges_tenant_state_idx" ON "card_charges"("tenant", "state");
