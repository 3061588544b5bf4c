/** SQL: what the events of wallets up to position $1 say of money that no payment explains; for use in a `with`. */
export const WALLET_MOVES = `
  wallet_moves as (
    select tenant, data->>'network' || '/erc20:' || (data->>'asset') as asset, data->>'wallet' as wallet,
      case when type in ('WalletOpened', 'InboundTransferFound', 'OutboundTransferReverted', 'OutboundTransferClaimed') then 1 else -1 end
        * coalesce(data->>'balance', data->>'amount')::numeric as moved,
      case when type = 'WalletOpened' then 'opening_balance' when type like 'Inbound%' then 'suspense'
        else 'owner_withdrawals' end as other,
      case when type like 'Inbound%' then data->>'counterparty' else '' end as other_party
    from events where position <= $1 and type in ('WalletOpened', 'InboundTransferFound', 'InboundTransferReverted',
      'InboundTransferMatched', 'OutboundTransferFound', 'OutboundTransferReverted', 'OutboundTransferClaimed'))`;

/** SQL: what was said of receipts up to position $1, as what the accounts have by it; for use in a `union`. */
export const EXPLAINED_MOVES = `
    select tenant, data->>'network' || '/erc20:' || (data->>'asset'), kind, party,
      case type when 'InboundTransferExplained' then sign else -sign end * (data->>'amount')::numeric
    from events cross join lateral (values ('suspense', data->>'counterparty', 1),
      (case data->>'as' when 'owner_deposit' then 'owner_deposits' when 'income' then 'other_income'
        when 'returned' then 'owner_withdrawals' end, '', -1)) as k (kind, party, sign)
    where type in ('InboundTransferExplained', 'InboundTransferExplanationWithdrawn') and position <= $1`;

/**
 * SQL: the transfers that were found in one direction, and stand at position $1, as rows of `NamedTransfer`.
 *
 * @param kind what they are called
 */
export function foundTransfers(direction: 'Inbound' | 'Outbound', kind: string): string {
  const parties = direction === 'Inbound' ? ['counterparty', 'wallet'] : ['wallet', 'counterparty'];
  return `
    select '${kind}' as kind, data->>'network' as network, data->>'asset' as asset, data->>'wallet' as wallet,
      null as payment, data->>'${parties[0]}' as "from", data->>'${parties[1]}' as "to", data->>'amount' as amount,
      data->>'transaction' as transaction, data->>'blockNumber' as "blockNumber", (data->>'logIndex')::int as "logIndex"
    from (select distinct on (stream) stream, type, data from events
      where type in ('${direction}TransferFound', '${direction}TransferReverted',
        '${direction === 'Inbound' ? 'InboundTransferMatched' : 'OutboundTransferClaimed'}') and position <= $1
      order by stream, version desc) as last
    where type = '${direction}TransferFound'`;
}
