// Writes a vulnerability database in Grype's own format (v6), with Grype's own writer, from a short list of public
// advisories: advisory-database LIST.json FOLDER makes FOLDER/vulnerability.db, which `grype db import` takes.
// Its providers are named `lab-…`, so that every report made with it says where its knowledge comes from.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"
)

type list struct {
	Captured   time.Time  `json:"captured"`
	Advisories []advisory `json:"advisories"`
}

type advisory struct {
	ID          string    `json:"id"`
	CVE         string    `json:"cve"`
	Provider    string    `json:"provider"`
	Published   time.Time `json:"published"`
	Severity    string    `json:"severity"`
	Vector      string    `json:"vector"`
	Description string    `json:"description"`
	URL         string    `json:"url"`
	Ecosystem   string    `json:"ecosystem"`
	Package     string    `json:"package"`
	Affected    []struct {
		Constraint string `json:"constraint"`
		Fix        string `json:"fix"`
	} `json:"affected"`
}

// What Grype calls the version order of each ecosystem.
var schemes = map[string]string{"npm": "semver", "python": "python", "deb": "dpkg"}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: advisory-database LIST.json FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "advisory-database:", err)
		os.Exit(1)
	}
}

func write(source, folder string) error {
	raw, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	var public list
	if err := json.Unmarshal(raw, &public); err != nil {
		return err
	}
	writer, err := v6.NewWriter(v6.Config{DBDirPath: folder})
	if err != nil {
		return err
	}
	if err := writer.SetDBMetadata(); err != nil {
		return err
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(raw))
	providers := map[string]*v6.Provider{}
	for _, a := range public.Advisories {
		provider, known := providers[a.Provider]
		if !known {
			provider = &v6.Provider{ID: "lab-" + a.Provider, Version: "1", Processor: "mlops-actions lab", DateCaptured: &public.Captured, InputDigest: digest}
			if err := writer.AddProvider(*provider); err != nil {
				return err
			}
			providers[a.Provider] = provider
		}
		if err := add(writer, provider, a); err != nil {
			return fmt.Errorf("%s: %w", a.ID, err)
		}
	}
	return writer.Close()
}

func add(writer v6.ReadWriter, provider *v6.Provider, a advisory) error {
	scheme, known := schemes[a.Ecosystem]
	if !known {
		return fmt.Errorf("the ecosystem %q is not one of npm, python, deb", a.Ecosystem)
	}
	severities := []v6.Severity{{Scheme: v6.SeveritySchemeCHMLN, Value: a.Severity, Rank: 1}}
	if a.Vector != "" {
		severities = append(severities, v6.Severity{Scheme: v6.SeveritySchemeCVSS, Value: v6.CVSSSeverity{Vector: a.Vector, Version: "3.1"}, Rank: 2})
	}
	blob := &v6.VulnerabilityBlob{ID: a.ID, Description: a.Description, References: []v6.Reference{{URL: a.URL}}, Severities: severities}
	if a.CVE != a.ID {
		blob.Aliases = []string{a.CVE}
	}
	vulnerability := &v6.VulnerabilityHandle{Name: a.ID, Status: v6.VulnerabilityActive, ProviderID: provider.ID, Provider: provider,
		PublishedDate: &a.Published, ModifiedDate: &a.Published, BlobValue: blob}
	if err := writer.AddVulnerabilities(vulnerability); err != nil {
		return err
	}
	affected := &v6.AffectedPackageHandle{VulnerabilityID: vulnerability.ID, Vulnerability: vulnerability,
		Package: &v6.Package{Ecosystem: a.Ecosystem, Name: a.Package}, BlobValue: &v6.PackageBlob{CVEs: []string{a.CVE}}}
	if a.Ecosystem == "deb" {
		affected.OperatingSystem = &v6.OperatingSystem{Name: "debian", ReleaseID: "debian", MajorVersion: "12", Codename: "bookworm"}
	}
	for _, r := range a.Affected {
		fix := &v6.Fix{State: v6.NotFixedStatus}
		if r.Fix != "" {
			fix = &v6.Fix{Version: r.Fix, State: v6.FixedStatus}
		}
		affected.BlobValue.Ranges = append(affected.BlobValue.Ranges, v6.Range{Version: v6.Version{Type: scheme, Constraint: r.Constraint}, Fix: fix})
	}
	return writer.AddAffectedPackages(affected)
}
