export * from "../sources/testing/golden-requests.ts";
export { type Fault, withForgedSignature } from "./fake-faults.ts";
export type { ServiceForm } from "./fake-replies.ts";
export { FakeService, type FakeServiceOptions, type FaultRule, fakeService, type SeenRequest } from "./fake-service.ts";
export * from "./manual-clock.ts";
export * from "./software-pki.ts";
export * from "./test-certificate.ts";
export * from "./test-documents.ts";
export * from "./test-tls.ts";
