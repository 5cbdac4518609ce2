export {
  PckCertificateSelection,
  type RawTcb,
  type SelectedPckCertificate,
  selectPckCertificate,
} from "./select-pck-certificate.ts";
