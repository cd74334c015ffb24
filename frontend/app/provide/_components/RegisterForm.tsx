"use client";
import { registryWrites } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { type Address, isAddress, zeroAddress } from "viem";
import { serviceTypes } from "@/app/_components/serviceTypes.ts";
import { Amount } from "@/components/chain/Amount.tsx";
import { ConfirmSend } from "@/components/chain/ConfirmSend.tsx";
import { Worth } from "@/components/chain/Worth.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { Field } from "@/components/ui/Field.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { Select } from "@/components/ui/Select.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { tokenQuery } from "@/queries/tokens.ts";
import { useChain } from "@/web3/network.tsx";
import { faultOfEndpoint, faultOfModel, priceFrom } from "./offerTerms.ts";

const services = serviceTypes.map((name, index) => ({ value: String(index), name }));

export function RegisterForm({ onDone }: { onDone: () => void }) {
  const chain = useChain();
  const { nativeSymbol, isLocal } = chain.network;
  const [model, setModel] = useState("");
  const [endpoint, setEndpoint] = useState("");
  const [priceText, setPriceText] = useState("");
  const [assetText, setAssetText] = useState("");
  const [serviceType, setServiceType] = useState(0);
  const [isReviewed, setReviewed] = useState(false);
  const [isTried, setTried] = useState(false);

  const asset: Address | undefined = assetText === "" ? zeroAddress : isAddress(assetText) ? assetText : undefined;
  const { data: token } = useQuery({ ...tokenQuery(chain, asset ?? zeroAddress), enabled: asset !== undefined });
  const price = priceFrom(priceText, token?.decimals ?? 0);
  const faults = {
    model: faultOfModel(model),
    endpoint: faultOfEndpoint(endpoint, isLocal),
    price: "fault" in price ? price.fault : undefined,
    asset: asset === undefined ? "An address is 0x and 40 hexadecimal digits; check the capital letters." : undefined,
  };
  const isGood = Object.values(faults).every((fault) => fault === undefined) && token !== undefined && asset !== undefined;
  const shown = (fault: string | undefined) => (isTried ? fault : undefined);
  const review = (event: SyntheticEvent) => {
    event.preventDefault();
    setTried(true);
    if (isGood) setReviewed(true);
  };
  return (
    <div className="grid gap-6 lg:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)]">
      <Panel title="Offer a model">
        <form className="mt-4 grid gap-4 sm:grid-cols-2" onSubmit={review} noValidate>
          <Field
            label="Model"
            required
            autoComplete="off"
            spellCheck={false}
            placeholder="qwen3-8b"
            value={model}
            onChange={({ target }) => setModel(target.value)}
            error={shown(faults.model)}
            hint="The name that buyers ask for; it cannot be changed later."
          />
          <div className="min-w-0">
            <label className="block text-sm" htmlFor="service">
              Service
            </label>
            <Select
              id="service"
              className="mt-1.5 w-full"
              options={services}
              value={String(serviceType)}
              onPick={(value) => setServiceType(Number(value))}
            />
          </div>
          <Field
            className="sm:col-span-2"
            label="Endpoint"
            required
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            placeholder={isLocal ? "http://127.0.0.1:8787" : "https://models.example"}
            value={endpoint}
            onChange={({ target }) => setEndpoint(target.value.trim())}
            error={shown(faults.endpoint)}
            hint="Where your provider agent listens."
          />
          <Field
            label="Price"
            required
            inputMode="decimal"
            autoComplete="off"
            placeholder="0.0001"
            value={priceText}
            onChange={({ target }) => setPriceText(target.value)}
            after={`${token?.symbol ?? nativeSymbol}/s`}
            error={shown(faults.price)}
          />
          <Field
            label="Paid in a token (optional)"
            autoComplete="off"
            spellCheck={false}
            placeholder={`0x…, or ${nativeSymbol} when empty`}
            value={assetText}
            onChange={({ target }) => setAssetText(target.value.trim())}
            error={shown(faults.asset)}
            hint={
              asset && asset !== zeroAddress && token
                ? `It calls itself ${token.symbol}, with ${token.decimals ?? "unknown"} decimals.`
                : undefined
            }
          />
          <div className="sm:col-span-2">
            <Button type="submit">Review the offer</Button>
          </div>
        </form>
      </Panel>
      <Panel title="What a buyer will see">
        <Facts className="mt-2">
          <Fact name="A second">{"raw" in price && asset ? <Amount raw={price.raw} asset={asset} /> : "…"}</Fact>
          <Fact name="A minute">{"raw" in price && asset ? <Amount raw={price.raw * 60n} asset={asset} /> : "…"}</Fact>
          <Fact name="An hour">
            {"raw" in price && asset ? (
              <>
                <Amount raw={price.raw * 3600n} asset={asset} />
                {asset === zeroAddress && <Worth raw={price.raw * 3600n} className="block" />}
              </>
            ) : (
              "…"
            )}
          </Fact>
        </Facts>
        <p className="mt-3 text-pretty text-soft text-sm">
          The agent does this for you at its start: <code className="rounded bg-sunken px-1.5 py-0.5 text-ink">npm run provider</code>. Use
          this form for an agent that runs already, with this wallet as its owner.
        </p>
      </Panel>
      {isReviewed && "raw" in price && asset && (
        <ConfirmSend
          title="Put it on the market"
          confirm="Register"
          calls={[registryWrites.registerProvider({ model, pricePerSecond: price.raw, endpoint, serviceType, asset })]}
          onClose={() => setReviewed(false)}
          onDone={() => {
            toast("Your offer is on the market");
            onDone();
          }}
        >
          <Facts>
            <Fact name="Model">{model}</Fact>
            <Fact name="Service">{serviceTypes[serviceType]}</Fact>
            <Fact name="Price">
              <Amount raw={price.raw} asset={asset} per="s" className="font-medium" />
            </Fact>
            <Fact name="Endpoint">
              <span className="break-all font-mono text-xs">{endpoint}</span>
            </Fact>
          </Facts>
          <p className="mt-2 text-pretty text-soft text-sm">
            Everybody can read this, for ever. Price and endpoint can be changed and the offer drained; its model, service and asset stay.
          </p>
        </ConfirmSend>
      )}
    </div>
  );
}
